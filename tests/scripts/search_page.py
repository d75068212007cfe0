"""The search page of the public list in a browser, from file://. search_page.sh DIRECTORY OUT KEYS: the lists, where pictures go, and the program that makes keys in C."""
import csv
import json
import pathlib
import random
import subprocess
import sys
import unicodedata

sys.path.insert(0, "tests/peers")
from browser import Browser  # noqa: E402

lists, out, keys = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
index = lists / "index.html"
rows = list(csv.DictReader(open(lists / "declarations.csv", encoding="utf-8-sig")))
NAMES = [row["事業者名"].removeprefix("'") for row in rows]


def check(good, what):
    if not good:
        sys.exit("search_page: " + what)


def c_keys(names):
    text = subprocess.run([keys], input="\n".join(names) + "\n", capture_output=True, text=True, check=True).stdout
    return text.split("\n")[:-1]


def corpus():
    """Names as they are, and what nobody would write."""
    chance = random.Random(7)
    pieces = ["株式会社", "㈱", "（株）", "(有)", "〔株〕", "NPO法人", "ｎｐｏ法人", "特非", "（医社）", "髙", "﨑", "𠮷", "德", "ｱｲｳｴｵｶﾞﾊﾟ", "ー", "－", "‐",
              "—", "〜", "～", "１２３", "3", "A", "Ｂ", "é", "É", "ﬁ", "①", "㍿", "　", " ", "\t", "\u200b", "\ufeff", "葛\U000e0100", "İ", "ς", "Σ", "ẞ", "か\u3099", "Ⅷ",
              "\"", "\\", "<", "&", "・", "ヴ", "ヷ", "々", "〇", "·", "\u00ad", "東京", "サンプル", "Ǆ", "Ა", "ა", "Ⴀ", "🏠", "3ー4", "ー3", "3ー 4"]
    made = ["".join(chance.choice(pieces) for _ in range(chance.randint(1, 6))) for _ in range(4000)]
    made += [chr(c) for c in range(0x21, 0x3100) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co", "Cc", "Zl", "Zp")
             and c != 0x85]
    return NAMES[:500] + made


def status(page):
    return page.evaluate("document.getElementById('status').textContent")


def search(page, name=None, prefecture=None):
    """As a person does; waits for the answer."""
    page.evaluate("document.getElementById('status').textContent = ''")
    if prefecture is not None:
        page.evaluate("document.getElementById('prefecture').value = %s" % json.dumps(prefecture))
    if name is not None:
        page.evaluate("document.getElementById('name').value = ''; document.getElementById('name').focus()")
        if name:
            page.type(name)
    page.evaluate("document.getElementById('search').requestSubmit()")
    page.wait_until("document.getElementById('status').textContent !== ''")
    return status(page)


def shown(page):
    return page.evaluate("Array.from(document.querySelectorAll('tbody tr')).map(tr => tr.cells[0].textContent)")


def expect(page, name, prefecture, wanted):
    text = search(page, name, prefecture)
    count = len(wanted)
    said = "当てはまる事業者はありません" if count == 0 else "%s件" % f"{count:,}"
    check(said in text, "%r %r: %r, not %s" % (name, prefecture, text, said))
    check(shown(page) == wanted[:20], "%r: other rows than those of the CSV" % name)


def keys_are_the_same(page):
    names = corpus()
    want = c_keys(names)
    got = page.evaluate("%s.map(sengen.key)" % json.dumps(names))
    wrong = [(n, a, b) for n, a, b in zip(names, want, got) if a != b]
    check(not wrong, "the page makes another key: %r" % wrong[:5])
    print("figure: %d names have the same key in the page and in the program" % len(names))


def results_are_the_same(page):
    all_keys = c_keys(NAMES)
    prefectures = page.evaluate("Array.from(document.getElementById('prefecture').options).map(o => o.text)")
    asked = ["鈴木", "（株）鈴木", "株式会社鈴木", "㈱鈴木", "ｼｽﾃﾑ", "システム", "高橋", "髙橋", "建設", "ABC", "ａｂｃ", "無い名前です", "商", "山"]
    for name in asked:
        wanted = c_keys([name])[0]
        skip = "".join(chr(0xE000 + i) for i in range(64))
        if len(wanted) == 1:
            hit = [n for n, k in zip(NAMES, all_keys) if k.lstrip(skip).startswith(wanted)]
        else:
            hit = [n for n, k in zip(NAMES, all_keys) if wanted in k]
        expect(page, name, "", hit)
    system = c_keys(["システム"])[0]
    first, second = c_keys(["鈴木"])[0], c_keys(["株式会社"])[0]
    expect(page, "鈴木　株式会社", "", [n for n, k in zip(NAMES, all_keys) if first in k and second in k])
    for prefecture in ("東京都", "沖縄県"):
        number = str(prefectures.index(prefecture) - 1)
        here = [n for n, row in zip(NAMES, rows) if row["都道府県"] == prefecture]
        expect(page, "", number, here)
        expect(page, "システム", number,
               [n for n, k, row in zip(NAMES, all_keys, rows) if system in k and row["都道府県"] == prefecture])
    check("では探せません" in search(page, "\u200b\"", ""), "a name without a character that counts")
    print("figure: %d searches gave what the CSV has" % (len(asked) + 5))


def by_keyboard_alone(browser):
    page = browser.open(str(index))
    page.wait_until("!document.getElementById('search').hidden")
    for _ in range(10):
        page.key("Tab")
        if page.evaluate("document.activeElement.id") == "name":
            break
    check(page.evaluate("document.activeElement.id") == "name", "the name can't be reached with Tab")
    page.type("システム")
    page.key("Enter")
    page.wait_until("document.querySelectorAll('tbody tr').length === 20")
    first = shown(page)
    for _ in range(10):
        page.key("Tab")
        if page.evaluate("document.activeElement.id") == "on":
            break
    page.key("Enter")
    page.wait_until("document.getElementById('place').textContent.startsWith('2 ')")
    page.wait_until("document.activeElement.id === 'results'")
    check(shown(page) != first, "the second page shows what the first does")
    check("21～40件目" in status(page), status(page))
    tree = page.tree()
    roles = {(role, name) for role, name, _ in tree}
    for wanted in (("searchbox", "事業者名"), ("button", "検索"), ("table", "検索結果"), ("columnheader", "宣言日"), ("navigation", "検索結果のページ")):
        check(wanted in roles, "a reader of the screen does not find %s %s" % wanted)
    check(any(role == "status" for role, _, _ in tree), "nothing announces results")
    check(not page.complaints(), "the browser complains: %s" % page.complaints())
    check(not page.outside_requests(), "something is asked for from outside")
    page.close()


def what_ended_is_gone(browser):
    state = (lists / ".list").read_text().split()[0]
    gone = lists / state / "gone.js"
    page = browser.open(str(index))
    page.wait_until("!document.getElementById('search').hidden")
    before = search(page, "鈴木", "")
    name = shown(page)[0]
    row = NAMES.index(name)
    text = gone.read_text()
    gone.write_text("sengen.gone([%d]);\n" % row)
    page = browser.open(str(index))
    page.wait_until("!document.getElementById('search').hidden")
    after = search(page, "鈴木", "")
    check(before != after, "what ended still counts: " + after)
    check(len([n for n in shown(page) if n == name]) == NAMES.count(name) - 1, "what ended is still shown")
    gone.write_text(text)


def at_a_width(browser, width):
    page = browser.open(str(index), width=width)
    page.wait_until("!document.getElementById('search').hidden")
    search(page, "（株）鈴木", "")
    check(page.evaluate("document.documentElement.scrollWidth") <= width, "the page is wider than %d" % width)
    page.screenshot(out / ("search-%d.png" % width), 900)
    return page


def main():
    with Browser() as browser:
        page = browser.open(str(index))
        page.wait_until("!document.getElementById('search').hidden")
        check(not page.complaints(), "the browser complains: %s" % page.complaints())
        keys_are_the_same(page)
        results_are_the_same(page)
        by_keyboard_alone(browser)
        what_ended_is_gone(browser)
        page = at_a_width(browser, 1280)
        page.print(out / "search-print.pdf")
        at_a_width(browser, 390)
        plain = browser.open(str(index), scripts=False)
        plain.screenshot(out / "search-noscript.png", 600)
        check(any("JavaScript" in name for _, name, _ in plain.tree()), "without scripts nothing is said about them")


main()
