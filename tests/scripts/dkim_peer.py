#!/usr/bin/python3
"""Verifies every DKIM signature of a mail with dkimpy: dkim_peer.py MAIL [SELECTOR RECORD]...

Exit 0 when there is a signature per record given and all of them are valid, 1 otherwise.
"""
import sys

import dkim


def main():
    with open(sys.argv[1], "rb") as file:
        wire = file.read()
    records = {}
    for selector, record in zip(sys.argv[2::2], sys.argv[3::2]):
        records[f"{selector}._domainkey.sa.example.jp.".encode()] = record.encode()

    def dns(name, timeout=5):
        return records.get(name if isinstance(name, bytes) else name.encode())

    valid = 0
    for index in range(len(records)):
        try:
            ok = dkim.DKIM(wire).verify(idx=index, dnsfunc=dns)
        except dkim.DKIMException as error:
            print(f"signature {index}: {error}")
            ok = False
        print(f"signature {index}: {'valid' if ok else 'NOT valid'}")
        valid += ok
    signatures = wire.split(b"\r\n\r\n", 1)[0].lower().count(b"dkim-signature:")
    sys.exit(0 if valid == len(records) == signatures and valid else 1)


main()
