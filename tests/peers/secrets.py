"""Looks for planted secrets wherever they could have come, while sengend works against a real Postfix and Dovecot (tests/scripts/secrets.sh).

usage: secrets.py SENGEND SENGENCTL DIRECTORY SMTP_PORT IMAP_PORT
"""
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
import forms

sengend, sengenctl, directory, smtp_port, imap_port = sys.argv[1:6]
TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
home = os.path.join(directory, "office")
log_path = os.path.join(directory, "sengend.log")


def fail(text):
    print("FAILED:", text)
    with open(log_path, errors="replace") as log:
        print("".join(log.readlines()[-30:]))
    sys.exit(1)


def rsa_parts(name):
    """The private exponent and the primes, as DER has them and as OpenSSL reckons with them."""
    text = subprocess.run(["openssl", "rsa", "-in", os.path.join(directory, name), "-noout", "-text"], capture_output=True, text=True, check=True).stdout
    for part in ("privateExponent", "prime1", "prime2"):
        number = bytes.fromhex(re.sub(r"[\s:]", "", re.search(rf"{part}:\n((?:    .*\n)+)", text).group(1))).lstrip(b"\0")
        yield f"{name} {part}", number[8:40]
        yield f"{name} {part} (words)", number[::-1][8:40]
    with open(os.path.join(directory, name)) as pem:
        yield f"{name} PEM", pem.read().split("\n")[2].encode()


def planted():
    with open(os.path.join(directory, "credential")) as key:
        text = key.read().strip()
    der = subprocess.run(["openssl", "pkey", "-in", os.path.join(directory, "ed25519.pem"), "-outform", "DER"], capture_output=True, check=True).stdout
    keys = {"credential key": bytes.fromhex(text), "credential key (hex)": text.encode(), "ed25519": der[-32:]}
    keys.update(rsa_parts("rsa.pem"))
    keys.update(rsa_parts("smime.key"))
    return keys


def mappings(pid):
    """(from, to, name, locked and not dumped) of what can be read."""
    with open(f"/proc/{pid}/smaps", errors="replace") as smaps:
        head = None
        for line in smaps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) (r?)\S* \S+ \S+ \S+ *(.*)", line)
            if found:
                head = found
            elif line.startswith("VmFlags:") and head.group(3) and not head.group(4).startswith("[v"):
                flags = line.split()
                yield int(head.group(1), 16), int(head.group(2), 16), head.group(4), "lo" in flags and "dd" in flags


def search(pid, secrets):
    """{secret: (kept, loose, where)}; a child that ends meanwhile has nothing any more."""
    counts = {name: [0, 0, ""] for name in secrets}
    try:
        places = list(mappings(pid))
        memory = open(f"/proc/{pid}/mem", "rb", 0)
    except OSError:
        return counts
    with memory:
        for start, end, name, safe in places:
            try:
                memory.seek(start)
                content = memory.read(end - start)
            except OSError:
                continue
            for secret, value in secrets.items():
                n = content.count(value)
                counts[secret][0 if safe else 1] += n
                if n and not safe:
                    counts[secret][2] += f" {name or 'anonymous'}"
    return counts


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as names:
        return [int(child) for child in names.read().split()]


def tree(pid):
    return [pid] + [below for child in children(pid) for below in tree(child)]


def roles(supervisor):
    """{role: pid}, and the other processes: zygotes and their children."""
    named, others = {}, []
    for pid in children(supervisor):
        with open(f"/proc/{pid}/cmdline", "rb") as line:
            named[line.read().replace(b"\0", b" ").split()[-1].decode()] = pid
        others += [below for child in children(pid) for below in tree(child)]
    return named, others


def wait_for(what, test, seconds=40):
    deadline = time.monotonic() + seconds
    while not test():
        if time.monotonic() > deadline:
            fail(f"waited in vain: {what}")
        time.sleep(0.2)


def log_has(text, times=1):
    with open(log_path, errors="replace") as log:
        return log.read().count(text) >= times


def write_office():
    os.makedirs(os.path.join(home, "spool", "incoming"))
    with open(os.path.join(home, "sengend.conf"), "w") as out:
        out.write(f"""
spool_directory = "spool"; state_directory = "state"; runtime_directory = "run"; template_directory = "{TOP}/templates/mail";
profile_files = ( "{TOP}/config/profiles/instant.conf" ); era = ( {{ from = "2000-01-01"; profile = "instant"; }} );
contact_mail = "security-action-info@sa.example.jp"; settle_seconds = 0; credential_key_from = "{directory}/credential";
transport : {{ maildir = false; host = "localhost"; port = {smtp_port}; tls = "starttls"; ca_file = "{directory}/ca.pem";
  auth = "plain"; user = "office"; password_from = "{directory}/password"; }};
mailbox : {{ maildir = false; host = "localhost"; port = {imap_port}; tls = "starttls"; ca_file = "{directory}/ca.pem";
  user = "office"; password_from = "{directory}/password"; }};
dkim = ( {{ domain = "sa.example.jp"; selector = "rsa"; key_from = "{directory}/rsa.pem"; }},
         {{ domain = "sa.example.jp"; selector = "ed"; key_from = "{directory}/ed25519.pem"; }} );
smime = {{ certificate = "{directory}/smime.pem"; chain = "{directory}/smime-chain.pem"; key_from = "{directory}/smime.key"; }};
logo = ( {{ star = 1; from = "2020-01-01"; url = "https://www.ipa.go.jp/logo1.zip"; password_from = "{directory}/logo1"; }} );
""")


def check_memory(supervisor, secrets):
    named, others = roles(supervisor)
    password = {"password": b"geheim pass"}
    kept = 0
    for role, pid in named.items():
        for secret, (safe, loose, where) in search(pid, {**secrets, **password}).items():
            kept += safe
            if loose:
                fail(f"{secret} stands {loose} times outside locked memory of the role {role}:{where}")
    if not kept:
        fail("no secret was found in locked memory: the search finds nothing")
    for pid in others + [supervisor]:
        for secret, (safe, loose, _) in search(pid, secrets).items():
            if safe or loose:
                fail(f"{secret} stands in a process that has no use for it ({pid})")
    copies = [sum(search(pid, password)["password"][:2]) for pid in others]
    print(f"figure: {len(secrets)} keys and forms of them in {len(named)} roles: {kept} places, all locked and out of core files; {len(others)} other processes hold"
          f" none; copies of the password in them (libcurl, libetpan): {sorted(copies)}")
    return named


def check_places(secrets):
    texts = {**secrets, "password": b"geheim pass", "logo": b"Zip-Planted-Secret-77"}
    outputs = b""
    for command in (["status"], ["health"], ["list"], ["show", "1"], ["why", "1"], ["check-config"], ["preview", "--application", "1", "logo"], ["plan"]):
        done = subprocess.run([sengenctl, "-c", os.path.join(home, "sengend.conf"), *command], capture_output=True)
        outputs += done.stdout + done.stderr
    with open(os.path.join(directory, "outputs"), "wb") as out:
        out.write(outputs)
    places = [log_path, os.path.join(directory, "outputs")]
    for where, _, names in os.walk(home):
        places += [os.path.join(where, name) for name in names]
    looked = 0
    for path in places:
        if not os.path.isfile(path):
            continue
        with open(path, "rb") as content:
            data = content.read()
        looked += 1
        for secret, value in texts.items():
            if value in data:
                fail(f"{secret} stands in {path}")
    return looked


def check_processes(pids, secrets):
    texts = {**secrets, "password": b"geheim pass", "logo": b"Zip-Planted-Secret-77"}
    for pid in pids:
        for name in ("cmdline", "environ"):
            try:
                with open(f"/proc/{pid}/{name}", "rb") as content:
                    data = content.read()
            except OSError:
                continue
            for secret, value in texts.items():
                if value in data:
                    fail(f"{secret} stands in the {name} of {pid}")


def check_core(pid, secrets):
    """The limit is raised from outside, where that is allowed; what there is of a core file then holds no secret."""
    cwd = os.readlink(f"/proc/{pid}/cwd")
    before = set(os.listdir(cwd))
    raised = subprocess.run(["prlimit", f"--pid={pid}", "--core=unlimited"], capture_output=True).returncode == 0
    os.kill(pid, signal.SIGABRT)
    wait_for("the role to end", lambda: not os.path.exists(f"/proc/{pid}/mem"))
    cores = [name for name in set(os.listdir(cwd)) - before if name.startswith("core")]
    for name in cores:
        with open(os.path.join(cwd, name), "rb") as core:
            data = core.read()
        os.unlink(os.path.join(cwd, name))
        for secret, value in secrets.items():
            if value in data:
                fail(f"{secret} stands in the core file of the sender")
    return f"{len(cores)} (its limit {'was' if raised else 'can not be'} raised)"


secrets = planted()
write_office()
with open(log_path, "w") as log:
    daemon = subprocess.Popen([sengend, "-c", os.path.join(home, "sengend.conf")], stdout=log, stderr=log, cwd=home)
try:
    wait_for("the roles", lambda: log_has("supervisor.ready"))
    row = forms.application(401, applied_on=time.strftime("%Y/%m/%d"), **{"GビズID": "プライム"})
    forms.drop(os.path.join(home, "spool", "incoming"), "a.csv", forms.as_csv([row], header=forms.HEADER + ["GビズID"]))
    wait_for("three notices", lambda: log_has("notice.sent", 3))
    named = check_memory(daemon.pid, secrets)
    check_processes(tree(daemon.pid), secrets)
    cores = check_core(named["sender"], {**secrets, "password": b"geheim pass"})
    wait_for("the next sender", lambda: log_has("role=sender", 3))
finally:
    daemon.terminate()
    daemon.wait(80)
print(f"figure: {check_places(secrets)} files and the output of 8 commands hold none of them; core files of an aborted sender: {cores}")
