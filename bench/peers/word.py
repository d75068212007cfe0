#!/usr/bin/python3
"""word.py TIMES FILE...: the text of Word files through python-docx, paragraphs and cells, each file so many times in one warm process; prints the rate.
word.py --from MAILS OUT: the Word files that are attached to mails."""
import email
import io
import os
import sys
import time

if sys.argv[1] == "--from":
    found = 0
    for name in sorted(os.listdir(sys.argv[2])):
        with open(os.path.join(sys.argv[2], name), "rb") as file:
            for part in email.message_from_binary_file(file).walk():
                if "wordprocessingml" in part.get_content_type() and found < 100:
                    found += 1
                    with open(f"{sys.argv[3]}/{found:03d}.docx", "wb") as out:
                        out.write(part.get_payload(decode=True))
    sys.exit(found == 0)

from docx import Document

files = [open(name, "rb").read() for name in sys.argv[2:]]
times, characters = int(sys.argv[1]), 0
Document(io.BytesIO(files[0]))
began = time.monotonic()
for _ in range(times):
    for file in files:
        document = Document(io.BytesIO(file))
        text = [paragraph.text for paragraph in document.paragraphs]
        text += [cell.text for table in document.tables for row in table.rows for cell in row.cells]
        characters += sum(map(len, text))
print(f"figure docx {times * len(files) / (time.monotonic() - began):.1f} files/s")
sys.exit(characters == 0)
