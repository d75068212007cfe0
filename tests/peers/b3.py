"""Form B-3 (使用中止申込書) as an applicant makes it: a text document with a table, saved as .docx by LibreOffice.

usage: b3.py OUT.docx ID BUSINESS REPRESENTATIVE CONTACT MAIL [STOP_ON]
"""
import os
import shutil
import subprocess
import sys
import tempfile
from xml.sax.saxutils import escape

NAMESPACES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
)


def cell(text):
    return f'<table:table-cell office:value-type="string"><text:p>{escape(text)}</text:p></table:table-cell>'


def flat_odt(rows, before, after):
    table = "".join(f"<table:table-row>{cell(label)}{cell(value)}</table:table-row>" for label, value in rows)
    text = "".join(f"<text:p>{escape(line)}</text:p>" for line in before)
    notes = "".join(f"<text:p>{escape(line)}</text:p>" for line in after)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<office:document {NAMESPACES} office:version="1.3" '
        'office:mimetype="application/vnd.oasis.opendocument.text"><office:body><office:text>'
        f'{text}<table:table table:name="B3"><table:table-column table:number-columns-repeated="2"/>{table}</table:table>{notes}'
        "</office:text></office:body></office:document>\n"
    )


def rows_of(declaration_id, business, representative, contact, mail, stop_on=""):
    return [
        ("自己宣言ID", declaration_id),
        ("事業者名", business),
        ("代表者名", representative),
        ("担当者名", contact),
        ("電話番号", "03-0000-0000"),
        ("メールアドレス", mail),
        ("中止するロゴマーク", "☑★一つ星　□★★二つ星"),
        ("使用中止日", stop_on),
        ("使用を中止する理由", "事業内容の変更のため。"),
    ]


def make(out, *values):
    before = ["（様式B-3）", "SECURITY ACTIONロゴマーク使用中止申込書", "下記のとおり、ロゴマークの使用を中止します。"]
    after = ["※自己宣言IDは、4から始まる番号です。", "※ご提出先：security-action-info@sa.example.jp"]
    with tempfile.TemporaryDirectory() as work:
        source = os.path.join(work, "b3.fodt")
        with open(source, "w", encoding="utf-8") as file:
            file.write(flat_odt(rows_of(*values), before, after))
        # A profile of its own: another LibreOffice may be running, and nothing is left behind.
        subprocess.run(
            ["soffice", f"-env:UserInstallation=file://{work}/profile", "--headless", "--convert-to", "docx", "--outdir", work, source],
            check=True, capture_output=True, timeout=120,
        )
        shutil.copy(os.path.join(work, "b3.docx"), out)


if __name__ == "__main__":
    make(sys.argv[1], *sys.argv[2:])
