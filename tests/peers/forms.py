"""Makes form files with valid, fictitious applications for tests that need many of them."""
import csv
import io

HEADER = (
    "宣言の内容（ロゴマークの種類）,自己宣言の目的,反社会的勢力排除に関する誓約,担当者名,担当者メールアドレス,"
    "担当者メールアドレス（確認）,法人／個人事業主,法人番号,事業者名,代表者（姓）,代表者（名）,郵便番号,都道府県,"
    "市区町村・番地,電話番号,従業員数,業種（中分類）,所属団体（商工団体等）,IPAからの情報送付,個人情報の取り扱いについて,"
    "ロゴマーク使用規約,自己宣言ID（ステップアップの場合）,お申込日,アンケート（任意）"
).split(",")


def corporate_number(base):
    """The 13 digits for a 12-digit base number."""
    total = sum(int(d) * (2 if i % 2 else 1) for i, d in enumerate(reversed(base)))
    return str(9 - total % 9) + base


def application(number, applied_on="", kind="新規に【★一つ星】を申し込む", **changes):
    """One valid application of a corporation; `number` makes it different from all others."""
    row = {
        "宣言の内容（ロゴマークの種類）": kind,
        "自己宣言の目的": "取引先からの信頼性を高めるため",
        "反社会的勢力排除に関する誓約": "誓約する",
        "担当者名": "見本 太郎",
        "担当者メールアドレス": f"tanto@c{number}.example.jp",
        "担当者メールアドレス（確認）": f"tanto@c{number}.example.jp",
        "法人／個人事業主": "法人",
        "法人番号": corporate_number(f"9{number:011d}"),
        "事業者名": f"株式会社サンプル{number}",
        "代表者（姓）": "見本",
        "代表者（名）": "一郎",
        "郵便番号": "100-0001",
        "都道府県": "東京都",
        "市区町村・番地": f"例示区見本町{number}",
        "電話番号": "03-0000-1201",
        "従業員数": "12",
        "業種（中分類）": "情報サービス業",
        "所属団体（商工団体等）": "商工会議所",
        "IPAからの情報送付": "希望する",
        "個人情報の取り扱いについて": "同意する",
        "ロゴマーク使用規約": "同意する",
        "自己宣言ID（ステップアップの場合）": "",
        "お申込日": applied_on,
        "アンケート（任意）": "",
    }
    row.update(changes)
    return row


def as_csv(rows, encoding="cp932", header=HEADER):
    out = io.StringIO()
    writer = csv.DictWriter(out, header, lineterminator="\r\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def drop(directory, name, content):
    """Puts a file into a spool as a careful program does: under a temporary name first, then by rename."""
    import os

    path = os.path.join(directory, name)
    with open(path + ".tmp", "wb") as out:
        out.write(content)
    os.rename(path + ".tmp", path)
