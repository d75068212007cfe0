"""Is the mail's S/MIME signature valid? Asked of two that know nothing of each other: openssl cms and gpgsm.

usage: smime_peer.py MAIL ROOT [SECONDS]    SECONDS: the moment to judge at; default: now. Status 0: both say yes.
"""
import email
import email.policy
import os
import re
import subprocess
import sys
import tempfile
import time


def signed_parts(raw):
    """The signed bytes as they stand in the mail, and the signature (RFC 1847, 2.1)."""
    mail = email.message_from_bytes(raw, policy=email.policy.SMTP)
    assert mail.get_content_type() == "multipart/signed", mail.get_content_type()
    assert mail.get_param("protocol") == "application/pkcs7-signature" and mail.get_param("micalg") == "sha-256"
    delimiter = b"\r\n--" + mail.get_boundary().encode()
    pieces = raw.split(delimiter)
    assert len(pieces) == 4 and pieces[3].startswith(b"--"), len(pieces)
    assert pieces[1].startswith(b"\r\n")
    _, signature = mail.iter_parts()
    assert signature.get_content_type() == "application/pkcs7-signature"
    return pieces[1][2:], signature.get_payload(decode=True)


def openssl(path, root, at, content):
    done = subprocess.run(
        ["openssl", "cms", "-verify", "-in", path, "-CAfile", root, "-purpose", "smimesign", "-attime", str(at)],
        capture_output=True,
    )
    if done.returncode != 0:
        print("openssl:", done.stderr.decode())
        return False
    return done.stdout == content


def gpgsm(root, at, content, signature, directory):
    """Its own idea of CMS, X.509 and trust."""
    home = os.path.join(directory, "gnupg")
    os.mkdir(home, 0o700)
    der = subprocess.run(["openssl", "x509", "-in", root, "-outform", "DER", "-fingerprint", "-sha1", "-noout"], capture_output=True, text=True, check=True)
    fingerprint = re.sub(r".*=|:", "", der.stdout.strip())
    files = {"trustlist.txt": f"{fingerprint} S relax\n", "content": content, "signature": signature,
             "gpgsm.conf": "disable-crl-checks\ndisable-dirmngr\n"}
    for name, data in files.items():
        place = home if name.endswith((".txt", ".conf")) else directory
        with open(os.path.join(place, name), "wb") as out:
            out.write(data if isinstance(data, bytes) else data.encode())
    run = ["gpgsm", "--homedir", home, "--batch", "--no-tty", "--status-fd", "1"]
    if at:
        run += ["--faked-system-time", time.strftime("%Y%m%dT%H%M%S", time.gmtime(at))]
    with open(root, "rb") as certificate:
        subprocess.run(run + ["--import"], stdin=certificate, capture_output=True, check=False)
    done = subprocess.run(
        run + ["--verify", os.path.join(directory, "signature"), os.path.join(directory, "content")], capture_output=True, text=True
    )
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], capture_output=True, check=False)
    good = "[GNUPG:] GOODSIG" in done.stdout and "[GNUPG:] TRUST_FULLY" in done.stdout
    if not good:
        print("gpgsm:", done.stdout, done.stderr)
    return good


def valid(raw, root, at=None):
    content, signature = signed_parts(raw)
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "mail.eml")
        with open(path, "wb") as out:
            out.write(raw)
        return openssl(path, root, at or int(time.time()), content) and gpgsm(root, at, content, signature, directory)


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as mail_file:
        sys.exit(0 if valid(mail_file.read(), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else None) else 1)
