"""trap_17.py forms: a CSV of applications whose names are known to break. trap_17.py check MAILDIR CHARSET: each letter through two parsers (the third, ours: tests/unit/test_trap_17_japanese_mail.c).

All names are fictitious.
"""
import csv
import email
import email.policy
import os
import subprocess
import sys

NAMES = [
    ("株式会社サンプル", "見本", "太郎"),
    ("㈱サンプル①", "見本", "花子"),  # vendor characters
    ("有限会社髙﨑", "髙橋", "﨑子"),  # other glyphs than JIS has
    ("サンプル～商店", "見本", "一"),  # wave dash or tilde
    ("サンプル−商店", "見本", "二"),  # minus sign
    ("サンプル‖商店", "見本", "三"),
    ("サンプル¢£¬", "見本", "四"),
    ("合同会社𠮷野家見本", "𠮷野", "五"),  # outside the first plane
    ("ｻﾝﾌﾟﾙ株式会社", "見本", "六"),  # half-width
    ("株式会社ソ能表示十", "能登", "表"),  # second bytes that are \ in Shift_JIS
    ("株式会社ABC Sample 商店 Ltd.", "見本", "七"),  # words and blanks between scripts
    ("Sample & Sons Co., Ltd.", "Mihon", "Taro"),
    ("株式会社" + "長" * 60, "見本", "八"),
    ("一般社団法人 見本　全角　空白", "見本", "九"),
    ("株式会社サンプルが", "見本", "が"),  # combining, once decomposed
    ("株式会社ヱヰヮヵヶ々〆〇ー", "見本", "十"),
    ("株式会社鷗鄧內海", "鄧", "海"),
    ("見本\"引用\"商店", "見本", "百"),
    ("見本=?UTF-8?B?44GC?=商店", "見本", "千"),  # looks like an encoded word
    ("株式会社№℡〜", "見本", "万"),
]
# One character of JIS X 0208 each, for which two code points are in use.
JIS_TWINS = str.maketrans("～−‖¢£¬", "〜－∥￠￡￢")
HEADER = ("宣言の内容（ロゴマークの種類）,自己宣言の目的,反社会的勢力排除に関する誓約,担当者名,担当者メールアドレス,担当者メールアドレス（確認）,法人／個人事業主,"
          "法人番号,事業者名,代表者（姓）,代表者（名）,郵便番号,都道府県,市区町村・番地,電話番号,従業員数,業種（中分類）,所属団体（商工団体等）,"
          "IPAからの情報送付,個人情報の取り扱いについて,ロゴマーク使用規約").split(",")


def number(n):
    base = f"{n:012d}"
    total = sum(int(d) * (1 + i % 2) for i, d in enumerate(reversed(base)))
    return f"T{9 - total % 9}{base}"


def forms():
    out = csv.writer(sys.stdout, lineterminator="\r\n")
    sys.stdout.write("\ufeff")
    out.writerow(HEADER)
    for n, (business, family, given) in enumerate(NAMES, 1):
        mail = f"tanto{n}@example.co.jp"
        out.writerow(["新規に【★一つ星】を申し込む", "その他", "誓約する", f"{family} {given}", mail, mail, "法人", number(n), business, family, given,
                      "100-0001", "東京都", f"千代田区見本1-{n}", "03-0000-0000", "35", "食料品製造業", "所属していない", "希望する", "同意する", "同意する"])


PERL = r"""
use strict; use warnings; use MIME::Parser; use Encode; binmode STDOUT, ":utf8";
my $parser = MIME::Parser->new; $parser->output_to_core(1); $parser->tmp_to_core(1);
my $mail = $parser->parse_open($ARGV[0]);
sub words { my $text = ""; for my $piece (MIME::WordDecoder::mime_to_perl_string($_[0])) { $text .= $piece } return $text }
use MIME::WordDecoder;
my $subject = $mail->head->get("Subject"); $subject =~ s/\r?\n//g; $subject =~ s/\s+\z//;
my $from = $mail->head->get("From"); $from =~ s/\r?\n//g; $from =~ s/\s+\z//;
my $part = $mail; $part = $part->parts(0) while $part->parts;
my $charset = $part->head->mime_attr("content-type.charset") || "us-ascii";
my $body = decode($charset, $part->bodyhandle->as_string);
$body =~ s/\r\n/\n/g;
print words($subject), "\n", words($from), "\n", $body;
"""


def by_perl(path):
    done = subprocess.run(["perl", "-e", PERL, path], capture_output=True, text=True, check=True)
    subject, sender, body = done.stdout.split("\n", 2)
    return subject, sender, body


def by_python(path):
    with open(path, "rb") as file:
        mail = email.message_from_binary_file(file, policy=email.policy.default)
    return str(mail["Subject"]), str(mail["From"]), mail.get_body().get_content().replace("\r\n", "\n"), mail


def check(maildir, charset):
    paths = {}
    for name in os.listdir(maildir):
        path = os.path.join(maildir, name)
        mail = by_python(path)[3]
        paths[int(mail["To"].partition("@")[0].replace("tanto", ""))] = path
    if len(paths) < len(NAMES) - 4:
        sys.exit(f"{charset}: only {len(paths)} of {len(NAMES)} letters")
    for n, path in sorted(paths.items()):
        business, family, given = NAMES[n - 1]
        subject, sender, text, mail = by_python(path)
        perl_subject, perl_sender, perl_text = by_perl(path)
        business_shown = business.replace("　", " ").translate(JIS_TWINS)
        for parser, read in (("Python", text), ("Perl", perl_text)):
            flat = read.replace("\n", "").replace("　", " ").translate(JIS_TWINS)
            if business_shown not in flat:
                sys.exit(f"{charset}, {parser}: {business} is not in its letter:\n{read}")
            if "\ufffd" in read or "〓" in read or "??" in read:
                sys.exit(f"{charset}, {parser}: characters of {business} are lost:\n{read}")
        if text.translate(JIS_TWINS).split() != perl_text.translate(JIS_TWINS).split():
            sys.exit(f"{charset}: two parsers differ about {business}")
        if subject != perl_subject or "【SECURITY ACTION】" not in subject:
            sys.exit(f"{charset}: subject {subject!r}, {perl_subject!r}")
        if "".join(sender.split()).replace('"', "") != "".join(perl_sender.split()).replace('"', ""):
            sys.exit(f"{charset}: sender {sender!r}, {perl_sender!r}")
        with open(path, "rb") as file:
            raw = file.read()
        if any(len(line) > 998 for line in raw.split(b"\n")) or any(byte > 127 for byte in raw):
            sys.exit(f"{charset}: {business}: long lines, or 8 bit")
    print(f"figure: T17: {len(paths)} letters in {charset}, through two parsers")


if __name__ == "__main__":
    forms() if sys.argv[1] == "forms" else check(*sys.argv[2:4])
