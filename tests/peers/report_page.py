"""The written report and a proof in a real browser: report_page.py CTL CONFIG PAGE PROOF [--hostile] [PICTURES]

--hostile: the office is full of names that try to break out. PICTURES: a directory for screenshots, to be looked at.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from browser import Browser  # noqa: E402
import page_check  # noqa: E402

NOW = "2026-06-10T10:33:00+09:00"


class Tester:
    def __init__(self, ctl, conf):
        self.ctl, self.conf, self.faults = ctl, conf, []

    def ask(self, *words):
        answer = subprocess.run([self.ctl, "-c", self.conf, "--at", "2026-06-10 10:30", "--json", *words], stdout=subprocess.PIPE)
        return [json.loads(line) for line in answer.stdout.decode().splitlines()]

    def equal(self, what, have, wanted):
        if have != wanted:
            self.faults.append("%s: %r, not %r" % (what, have, wanted))

    def true(self, what, yes):
        if not yes:
            self.faults.append(what)

    # ---- what stands on it ----

    def numbers(self, page):
        """Each number on the page is the one that the commands tell."""
        figures = dict(page.evaluate(
            "Array.from(document.querySelectorAll('.figures li')).map(n => [n.children[0].textContent, n.children[1].textContent])"))
        status = self.ask("status")[0]
        for name, value in (
                ("要確認の申込み", status["review"]), ("要確認の依頼", status["requests"]["review"]),
                ("本人の返信待ち", status["requests"]["asked"]), ("保留中の申込み", status["held"]),
                ("期限を過ぎた通知", status["overdue"]), ("ロゴ使用許諾済み", status["states"]["logo_authorized"]),
                ("申込みの総数", status["applications"])):
            self.equal(name, figures.get(name), "{:,}".format(value))
        self.true("the office is too quiet to show anything", status["review"] > 1 and status["overdue"] > 0)
        rows = {caption: page.evaluate(
            "(() => { const t = Array.from(document.querySelectorAll('table')).find(t => t.caption.textContent.startsWith(%s));"
            " return t ? Array.from(t.tBodies[0].rows).map(r => Array.from(r.cells).map(c => c.textContent)) : []; })()" %
            json.dumps(caption)) for caption in
            ("要確認の申込み", "要確認の依頼", "期限を過ぎても", "日ごとの数", "30日のあいだに", "sengen が")}
        self.equal("applications in review", [int(row[0]) for row in rows["要確認の申込み"]],
                   [app["application"] for app in self.ask("list", "--review")])
        self.equal("requests in review", [int(row[0]) for row in rows["要確認の依頼"]],
                   [request["request"] for request in self.ask("review", "list")])
        self.equal("overdue", [int(row[0]) for row in rows["期限を過ぎても"]],
                   [app["application"] for app in self.ask("list", "--overdue")])
        self.equal("days", len(rows["日ごとの数"]), 30)
        self.true("no refused file", len(rows["30日のあいだに"]) > 3)
        self.equal("checks", len(rows["sengen が"]), len(self.ask("health")))
        self.bars(page, rows["日ごとの数"])

    def bars(self, page, days):
        """A chart has a bar for each number of its table that is not 0, besides the legend's."""
        columns = {"day-applications": (2, 3), "day-notices": (6, 7), "day-mails": (8, 9), "day-cases": (4, 10)}
        for chart, wanted in columns.items():
            bars = page.evaluate("document.querySelectorAll('svg[aria-labelledby^=%s-title] rect').length" % chart)
            self.equal(chart, bars, 2 + sum(row[column] != "0" for row in days for column in wanted))

    def links(self, page, path):
        """Each link to a mail or a result leads to a file that is there."""
        found = page.evaluate("Array.from(document.querySelectorAll('a')).map(n => n.href)")
        files = [pathlib.Path(__import__("urllib.parse", fromlist=["x"]).unquote(url[7:])) for url in found
                 if url.startswith("file://") and "#" not in url]
        for file in files:
            self.true("a link leads to no file: %s" % file, file.is_file())
        mails = sorted(file.name for file in files if file.suffix == ".eml")
        self.true("no mail is linked", len(mails) > 1)
        self.equal("mails beside the page", sorted(file.name for file in (path.parent / "mail").iterdir()), sorted(set(mails)))

    def hostile(self, page):
        """Whatever a name, subject or file name holds, it is text."""
        self.equal("scripts", page.evaluate("document.scripts.length"), 1)
        self.equal("images", page.evaluate("document.querySelectorAll('img, iframe, object, [onload], [onerror]').length"), 0)
        self.equal("links that run", page.evaluate("document.querySelectorAll('a[href^=javascript]').length"), 0)
        self.equal("dialogs", len(page.mine("Page.javascriptDialogOpening")), 0)
        text = page.evaluate("document.body.textContent")
        self.true("no hostile name is on the page", "<script>alert(2)</script>" in text and "<svg onload=alert(3)>" in text)
        self.true("a bidirectional override is on the page", "\u202e" not in text and "[U+202E]" in text)
        self.true("a user number is on the page", "9035489508" not in text)

    def age(self, browser, path):
        """It says how old it is, and warns; and it works where no script may run."""
        for now, shown, old in ((NOW, "（3分前に作成）", False), ("2026-06-10T11:20:00+09:00", "（50分前に作成）", True),
                                ("2026-06-12T11:20:00+09:00", "（2日前に作成）", True)):
            page = browser.open(str(path), now=now)
            self.equal("age", page.evaluate("document.getElementById('age').textContent"), shown)
            self.equal("warning of age", page.evaluate("document.getElementById('old').checkVisibility()"), old)
            page.close()

    # ---- the page as a page ----

    def looks(self, browser, path, name, pictures):
        for width, dark in ((1280, False), (390, False), (1280, True), (390, True)):
            page = browser.open(str(path), width=width, height=844, dark=dark, now=NOW)
            self.faults += page_check.check(page, "%s at %d%s" % (name, width, " dark" if dark else ""))
            page.evaluate("document.querySelectorAll('details').forEach(n => n.open = true)")
            self.faults += page_check.check(page, "%s at %d, opened" % (name, width))
            page.evaluate("document.querySelectorAll('details').forEach(n => n.open = false)")
            if width == 390 and not dark:
                self.faults += page_check.focus_faults(page)
            page.evaluate("document.activeElement.blur()")
            if pictures:
                page.screenshot(pictures / ("%s-%d%s.png" % (name, width, "-dark" if dark else "")), 2400 if width == 390 else None)
            page.close()

    def paper(self, browser, path, name, pages, pictures):
        page = browser.open(str(path), now=NOW)
        pdf = (pictures or path.parent) / (name + ".pdf")
        page.print(pdf)
        page.close()
        told = subprocess.run(["pdfinfo", pdf], stdout=subprocess.PIPE, check=True).stdout.decode()
        count = int(re.search(r"Pages: +(\d+)", told).group(1))
        self.true("%s: %d sheets" % (name, count), count <= pages)
        self.true("%s is not on A4: %s" % (name, told), re.search(r"Page size: +59[45]\.\d+ x 84[12]", told))
        subprocess.run(["pdftoppm", "-r", "70", "-png", pdf, str(pdf)[:-4]], check=True)
        text = subprocess.run(["pdftotext", "-layout", pdf, "-"], stdout=subprocess.PIPE, check=True).stdout.decode()
        return text


def main(args):
    tester, path, proof = Tester(args[1], args[2]), pathlib.Path(args[3]), pathlib.Path(args[4])
    hostile = "--hostile" in args
    pictures = [arg for arg in args[5:] if arg != "--hostile"]
    pictures = pathlib.Path(pictures[0]) if pictures else None
    style = re.search(r"<style>(.*?)</style>", path.read_text("utf-8"), re.S).group(1)
    tester.faults += page_check.contrast(style)
    with Browser() as browser:
        page = browser.open(str(path), now=NOW)
        tester.numbers(page)
        tester.links(page, path)
        if hostile:
            tester.hostile(page)
        tester.true("a request besides the page itself", len(page.requests()) == 1)
        page.close()
        page = browser.open(str(path), scripts=False)
        page.close()
        tester.age(browser, path)
        tester.looks(browser, path, "report", pictures)
        tester.looks(browser, proof, "proof", pictures)
        text = tester.paper(browser, path, "report", 6, pictures)
        tester.true("the paper lacks what needs a person", "対応が必要なこと" in text and "要確認の申込み" in text)
        text = tester.paper(browser, proof, "proof", 1, pictures)
        tester.true("the paper lacks the notices", "ロゴマーク使用許諾のお知らせ" in text)
    for fault in tester.faults:
        print(fault)
    return 1 if tester.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
