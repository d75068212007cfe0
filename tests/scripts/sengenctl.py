#!/usr/bin/python3
"""Every command of sengenctl against a daemon that runs: exit codes, JSON, language, and that no user number is ever shown."""
import base64
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("SENGEN_BUILD", "build"))
REGISTRY = os.path.join(ROOT, "tests", "samples", "registry.csv")
work = tempfile.mkdtemp(prefix="sengenctl.")
CONF = os.path.join(work, "sengend.conf")
FORM = os.path.join(ROOT, "tests", "samples", "forms", "003.txt")


def ctl(*words, rc=0, lang="C.UTF-8"):
    run = subprocess.run([os.path.join(BUILD, "sengenctl"), "-c", CONF, *words], capture_output=True, text=True,
                         env=dict(os.environ, LC_ALL=lang), timeout=60)
    if run.returncode != rc:
        raise AssertionError("%s: exit %d, expected %d\n%s%s" % (words, run.returncode, rc, run.stdout, run.stderr))
    for line in open(REGISTRY, encoding="utf-8").read().splitlines()[1:]:
        number = line.split(",")[1]
        assert number not in run.stdout + run.stderr, "%s shows a user number" % (words,)
    return run.stdout + run.stderr


def data(*words, rc=0):
    return [json.loads(line) for line in ctl(*words, "--json", rc=rc).splitlines()]


def wait_for(what, check):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        got = check()
        if got:
            return got
        time.sleep(0.1)
    raise AssertionError("never came: " + what)


def dkim_record():
    """check-config shows what the DNS must hold for a key it can read, never the key, and names a key that is none."""
    key = os.path.join(work, "dkim.pem")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
    os.chmod(key, 0o600)
    public = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout[-32:]
    value = "v=DKIM1; k=ed25519; p=" + base64.b64encode(public).decode()
    conf = os.path.join(work, "dkim.conf")
    with open(CONF, encoding="utf-8") as plain, open(conf, "w", encoding="utf-8") as signing:
        signing.write(plain.read() + '\ndkim = ( { domain = "sa.example.jp"; selector = "s1"; key_from = "%s"; },\n'
                      '  { domain = "sa.example.jp"; selector = "s2"; key_from = "credential:elsewhere"; } );\n' % key)
    said = ctl("-c", conf, "check-config")
    assert 's1._domainkey.sa.example.jp. IN TXT ( "%s" )' % value in said and "s2" not in said, said
    records = [line for line in data("-c", conf, "check-config") if line.get("level") == "record"]
    assert records == [{"level": "record", "selector": "s1", "domain": "sa.example.jp", "txt": value}], records
    # Where the credentials lie is told: then they are looked at, too.
    os.environ["CREDENTIALS_DIRECTORY"] = work
    said = ctl("-c", conf, "check-config", rc=3)
    assert "elsewhere" in said and "No such file" in said, said
    shutil.copyfile(key, os.path.join(work, "elsewhere"))
    said = ctl("-c", conf, "check-config")
    assert 's2._domainkey.sa.example.jp. IN TXT ( "%s" )' % value in said, said
    del os.environ["CREDENTIALS_DIRECTORY"]
    with open(key, "w", encoding="utf-8") as other:
        other.write("no key")
    said = ctl("-c", conf, "check-config", rc=3)
    assert "IN TXT" not in said, said


def before_the_daemon():
    ctl("status", rc=4)
    ctl("hold", "1", "x", rc=1)
    ctl("check-config")
    assert data("check-config")[-1]["ok"] is True
    dkim_record()
    with open(os.path.join(work, "bad.conf"), "w", encoding="utf-8") as bad:
        bad.write('\nzone = "Asia/Tokio";\n')
    got = ctl("-c", bad.name, "check-config", rc=3)
    assert "bad.conf:2: " in got, got
    for words in (["nonsense"], ["--nonsense"], ["list", "--nonsense"], ["show"], ["show", "1", "2"], ["hold", "abc", "x"],
                  ["plan", "--days", "0"], ["plan", "--from", "x"], ["list", "--limit"], ["release"], ["status", "--json=1"],
                  ["release", "1", "--ceiling"], ["audit", "--head"], ["list", "--state", "x"], []):
        need = {"hold": 2, "list": 2}.get(words[0] if words else "", 2)
        if words[:1] in (["list"], ["plan"], ["audit"]) and "--nonsense" not in words and words[-1] not in ("--limit", "--head"):
            continue  # these need the register: asked again below
        ctl(*words, rc=need)


def reading():
    assert data("status")[0]["applications"] == 1
    listed = data("list")
    assert [line["application"] for line in listed] == [1]
    assert listed[0]["hold"] == "review" and listed[0]["state"] == "received"
    assert data("list", "--review") and not data("list", "--held") and not data("list", "--state", "id_issued")
    ctl("list", "--state", "x", rc=2)
    ctl("plan", "--days", "0", rc=2)
    ctl("plan", "--from", "x", rc=2)
    ctl("plan", "--from", "2026-12-02", "--until", "2026-12-01", rc=2)
    ctl("show", "999", rc=1)
    assert "要確認" in ctl("list", lang="ja_JP.UTF-8")
    shown = data("show", "1")[0]
    assert shown["form"]["corporate_number"] == "4999202479656"
    assert [row["event"] for row in shown["history"]][:2] == ["apply", "review"]
    assert data("why", "1")[0]["wait"] == "review"


def deciding():
    assert data("approve", "1", "確認済み")[0]["ok"] is True
    wait_for("the receipt", lambda: [n for n in data("show", "1")[0]["notices"] if n["state"] == "sent"])
    assert data("why", "1")[0]["wait"] == "nothing"
    ctl("hold", "1", rc=2)
    assert "理由" in ctl("hold", "1", rc=2, lang="ja_JP.UTF-8")
    ctl("hold", "1", "--reason", "住所確認中")
    assert data("list", "--held")[0]["application"] == 1
    assert "住所確認中" in ctl("why", "1")
    assert not data("plan", "--days", "30")
    ctl("release", "1")
    planned = data("plan", "--days", "40")
    assert [p["notice"] for p in planned] == ["id", "logo"] and planned[0]["certain"] and not planned[1]["certain"], planned
    counts = data("plan", "--days", "40", "--count")
    assert len(counts) == 40 and sum(day["mails"] for day in counts) == 2
    assert data("resend", "1", "receipt")[0]["notice"] == 2
    ctl("resend", "1", "logo", rc=1)
    ctl("reject", "1", rc=2)
    ctl("confirm", "1", rc=1)
    ctl("approve", "999", rc=1)
    ctl("release", "--ceiling", rc=1)
    assert not data("batches") and "Nothing" in ctl("batches")
    ctl("release", "--batch", "1", rc=1)
    ctl("release", "--batch", "x", rc=2)
    ctl("release", "--batch", "1", "--ceiling", rc=2)
    ctl("release", "--restored", rc=1)


def importing():
    done = data("import", REGISTRY)[-1]
    assert (done["imported"], done["known"], done["refused"]) == (144, 0, 0), done
    done = data("import", REGISTRY)[-1]
    assert (done["imported"], done["known"], done["refused"]) == (0, 144, 0), done
    japanese = os.path.join(work, "japanese.csv")
    with open(japanese, "w", encoding="cp932", newline="\r\n") as out:
        out.write("自己宣言ID,利用者番号,区分,法人番号,事業者名,代表者名,担当者名,メールアドレス,都道府県,星,お申込日,状態\n")
        out.write("49999999991,9999999991,個人事業主,,見本商店,見本 太郎,見本 花子,mihon@example.co.jp,東京都,二つ星,令和7年4月1日,ID発行済み\n")
        out.write("12345,9999999992,個人事業主,,見本商店二,見本 次郎,見本 花子,mihon@example.co.jp,東京都,一つ星,2025/4/1,ロゴ許諾済み\n")
    lines = data("import", japanese, rc=1)
    assert lines[0]["row"] == 2 and lines[-1]["imported"] == 1 and lines[-1]["refused"] == 1, lines
    shown = data("show", "49999999991")[0]
    assert shown["state"] == "id_issued" and shown["star"] == 2 and shown["applied_on"] == "2025-04-01", shown
    assert shown["user_number"] == "9•••••••91" and shown["type"] == "sole", shown
    assert shown["form"]["family_name"] == "見本" and not shown["notices"], shown
    ctl("import", FORM, rc=1)
    ctl("import", "/nonexistent.csv", rc=1)
    limited = data("list", "--limit", "3")
    assert len(limited) == 3


def previewing():
    assert "自己宣言IDのお知らせ" in ctl("preview", "1")
    assert "Content-Transfer-Encoding: base64" in ctl("preview", "--notice", "id", "--raw")
    ctl("preview", "46837431276", "--notice", "id", "--raw", rc=1)
    ctl("preview", "46837431276", "--notice", "id")
    ctl("preview", "--notice", "nonsense", rc=1)
    assert data("preview", "--profile", "site", "--notice", "confirm")[0]["subject"].startswith("【SECURITY ACTION】")


def auditing():
    whole = data("audit")[0]
    assert whole["whole"] is True and whole["bad_row"] is None
    assert data("audit", "--head", whole["head"])[0]["head_found"] is True
    assert data("audit", "--head", "ab" * 32, rc=1)[0]["head_found"] is False
    ctl("audit", "--head", "xyz", rc=2)


# ---- requests by mail ----

USER_NUMBER = "9035489508"  # of the first declaration of the registry

STOP = """From: tanto@else.example.jp
To: security-action-info@ipa.go.jp
Subject: =?UTF-8?B?5L2/55So5Lit5q2i?=
Date: Mon, 23 Nov 2026 10:00:00 +0900
Message-ID: <stop{serial}@else.example.jp>
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit

SECURITY ACTION事務局 御中

ロゴマークの使用中止を申し込みます。\x1b[31m
自己宣言ID：46837431276
利用者番号：９０３５−４８９−５０８
利用者番号は{user_number}です。
事業者名：{name}
代表者名：堀 美咲
使用中止日：即日
"""

REPORT = """Return-Path: <>
Delivered-To: {bounce_address}
From: MAILER-DAEMON@mx.example.co.jp
To: {to}
Subject: Undelivered Mail Returned to Sender
Date: Mon, 23 Nov 2026 10:00:00 +0900
Message-ID: <report@mx.example.co.jp>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

The mail could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.co.jp

Final-Recipient: rfc822; tanto@example.co.jp
Action: failed
Status: 4.2.2
Diagnostic-Code: smtp; 452 4.2.2 mailbox full

--b
Content-Type: text/rfc822-headers

Message-ID: <{message_id}>

--b--
"""


def deliver(name, text):
    """A mail into the Maildir that the mailbox role reads; its bytes."""
    raw = text.replace("\n", "\r\n").encode()
    for below in ("tmp", "new", "cur"):
        os.makedirs(os.path.join(work, "state", "mailbox", below), exist_ok=True)
    path = os.path.join(work, "state", "mailbox", "tmp", name)
    with open(path, "wb") as out:
        out.write(raw)
    os.rename(path, os.path.join(work, "state", "mailbox", "new", name))
    return raw


def request_of(count):
    """The newest request, once there are so many."""
    return wait_for("request %d" % count, lambda: (data("requests")[count - 1:] or [None])[-1])


def looking_at_requests(raw):
    listed = data("review", "list")
    assert [line["request"] for line in listed] == [1], listed
    assert listed[0]["kind"] == "stop-request" and listed[0]["state"] == "review" and listed[0]["subject"] == "使用中止", listed
    for words in (["--open"], ["--kind", "stop-request"], ["--kind", "使用中止の依頼"], ["--state", "review"], ["--state", "要確認"],
                  ["--open", "--kind", "stop-request", "--limit", "3"]):
        assert [line["request"] for line in data("requests", *words)] == [1], words
    assert not data("requests", "--state", "done") and not data("requests", "--kind", "resend-request")
    assert not data("requests", "--application", "1")
    for words in (["requests", "--kind", "x"], ["requests", "--state", "x"], ["requests", "--limit", "0"], ["review"], ["review", "x"],
                  ["review", "list", "1"], ["review", "show"], ["review", "show", "x"], ["review", "show", "0"], ["review", "resolve", "1"],
                  ["requests", "--application", "x"], ["review", "resolve", "x", "close"], ["review", "resolve", "1", "close", "--on", "x"]):
        ctl(*words, rc=2)
    ctl("requests", "--application", "999", rc=1)
    ctl("review", "show", "9", rc=1)
    shown = data("review", "show", "1")[0]
    assert shown["reading"]["fields"]["declaration_id"] == "46837431276" and shown["reading"]["confidence"] > 0, shown
    assert shown["beside"]["declaration_id"] == 46837431276 and shown["beside"]["found_by"] in ("id", "request"), shown
    assert shown["mail"]["from"] == "tanto@else.example.jp" and shown["mail"]["from_registered"] is False, shown
    assert shown["actions"] == ["carry-out", "ask", "close"], shown
    for lang, words in (("C.UTF-8", ("DIFFERS", "NOT the registered address", "9•••••••08です")),
                        ("ja_JP.UTF-8", ("★相違", "★登録アドレスと違います", "review resolve 1 carry-out --application"))):
        text = ctl("review", "show", "1", lang=lang)
        assert all(word in text for word in words), text
        assert "\x1b" not in text and USER_NUMBER not in text and "５０８" not in text, text
    taken = subprocess.run([os.path.join(BUILD, "sengenctl"), "-c", CONF, "review", "show", "1", "--raw"], capture_output=True,
                           check=True, timeout=60)
    assert taken.stdout == raw, taken.stdout
    primary, secondary = os.openpty()
    to_terminal = subprocess.run([os.path.join(BUILD, "sengenctl"), "-c", CONF, "review", "show", "1", "--raw"], stdout=secondary,
                                 stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(primary)
    os.close(secondary)
    assert to_terminal.returncode == 2, to_terminal


def resolving():
    first = data("show", "46837431276")[0]["application"]
    raw = deliver("1.stop", STOP.format(serial=1, user_number=USER_NUMBER, name="まったく別の商店"))
    request_of(1)
    looking_at_requests(raw)
    ctl("review", "resolve", "1", "dance", rc=2)
    assert "申込番号" in ctl("review", "resolve", "1", "carry-out", rc=1, lang="ja_JP.UTF-8")
    ctl("review", "resolve", "1", "close", rc=1)
    ctl("review", "resolve", "9", "close", "--reason", "x", rc=1)
    status = data("status", rc=1)[0]
    assert status["requests"] == {"review": 1, "asked": 0, "planned": 0} and status["mailbox_fetched_at"], status
    done = data("review", "resolve", "1", "ask", "--application", "46837431276")[0]
    assert done["request"] == 1 and done["application"] == first, done
    assert data("status", rc=1)[0]["requests"] == {"review": 0, "asked": 1, "planned": 0}
    # The answer does not come; staff telephone.
    assert "使用中止" in ctl("review", "resolve", "1", "carry-out", "--on", "2099-12-31", "--reason", "電話で確認", lang="ja_JP.UTF-8")
    assert data("review", "show", "1")[0]["actions"] == [] and data("status", rc=1)[0]["requests"]["planned"] == 1
    shown = data("show", "46837431276")[0]
    assert [line["state"] for line in shown["requests"]] == ["planned"] and shown["stopped_on"] == "2099-12-31", shown
    assert [line["request"] for line in data("requests", "--application", "46837431276")] == [1]
    assert "2099" in ctl("why", "46837431276") and data("why", "46837431276")[0]["requests"]

    deliver("2.stop", STOP.format(serial=2, user_number=USER_NUMBER, name="まったく別の商店"))
    assert request_of(2)["state"] == "review"
    done = data("review", "resolve", "2", "close", "--reason", "同じご依頼")[0]
    assert done["ok"] is True and not data("review", "list"), done
    assert "同じご依頼" in ctl("requests", "--state", "declined")
    ctl("review", "resolve", "2", "close", "--reason", "x", rc=1)
    assert data("stop", "48041308748", "--on", "2099-12-30", "--reason", "様式B-3（紙）")[0]["ok"] is True
    assert data("show", "48041308748")[0]["stopped_on"] == "2099-12-30"
    ctl("stop", "48041308748", "--on", "x", rc=2)


def returning():
    """A notice came back."""
    assert not data("show", "1")[0]["bounces"]
    message_id = data("show", "1")[0]["notices"][0]["message_id"]
    outgoing = os.path.join(work, "state", "maildir", "new")
    sent = [open(os.path.join(outgoing, name), encoding="ascii").read() for name in os.listdir(outgoing)]
    letter = [text for text in sent if "\nMessage-ID: <%s>" % message_id in text.split("\n\n", 1)[0]][0]
    address = letter.split("Return-Path: <", 1)[1].split(">", 1)[0]
    deliver("3.report", REPORT.format(bounce_address=address, to=address, message_id=message_id))
    bounces = wait_for("the bounce", lambda: data("show", "1")[0]["bounces"])
    assert [(line["notice"], line["class"]) for line in bounces] == [(1, "full")], bounces
    assert data("why", "1")[0]["bounces"] and "受信箱の容量超過" in ctl("show", "1", lang="ja_JP.UTF-8")


def ending():
    ctl("withdraw", "1", "--reason", "取下げの連絡あり")
    assert data("show", "1")[0]["state"] == "withdrawn"
    assert not [n for n in data("show", "1")[0]["notices"] if n["state"] == "queued"]
    ctl("withdraw", "1", rc=1)
    status = json.loads(ctl("status", "--json", rc=1))  # the declaration taken over before its logo is long past its latest day
    assert [question["name"] for question in status["questions"]] == ["late"], status


def changing():
    """What staff change themselves: back from an end, fields of the form, the next stage, parts of the work."""
    ctl("undo", "1", rc=2)
    undone = data("undo", "1", "--reason", "取下げは別の会社だった")[0]
    assert "保留" in undone["message_ja"], undone
    shown = data("show", "1")[0]
    assert (shown["state"], shown["hold"]) == ("received", "staff"), shown
    ctl("release", "1")
    assert "元に戻す変更がありません" in ctl("undo", "1", "--reason", "x", rc=1, lang="ja_JP.UTF-8")

    for words in (["correct", "1"], ["correct", "1", "電話番号", "--reason", "x"], ["correct", "1", "色=赤", "--reason", "x"],
                  ["correct", "1", "telephone=1", "電話番号=2", "--reason", "x"], ["correct", "1", "telephone=03-0000-0000"],
                  ["correct", "x", "telephone=1", "--reason", "x"], ["move", "1", "nowhere", "--reason", "x"],
                  ["move", "1", "id_issued"], ["pause", "sending"], ["pause", "tea", "--reason", "x"], ["resume"],
                  ["resend", "1", "receipt", "--anew"], ["resend", "1", "receipt", "--reason", "x"]):
        ctl(*words, rc=2)
    assert "都道府県" in ctl("correct", "1", "都道府県=架空県", "--reason", "x", rc=1, lang="ja_JP.UTF-8")
    assert "最初の通知" in ctl("correct", "1", "お申込日=2026-01-01", "--reason", "x", rc=1, lang="ja_JP.UTF-8")
    ctl("correct", "1", "電話番号＝０３－１２３４－５６７８", "contact=見本 次郎", "--reason", "電話で確認")
    form = data("show", "1")[0]["form"]
    assert (form["telephone"], form["contact"]) == ("03-1234-5678", "見本 次郎"), form

    paused = data("pause", "sending", "reading", "--reason", "サーバー移行")[0]
    assert "送信" in paused["message_ja"] and "受信" in paused["message_ja"], paused
    ctl("pause", "intake", "sending", "--reason", "x", rc=1)  # one is paused already: none is changed
    names = [question["name"] for question in json.loads(ctl("status", "--json", rc=1))["questions"]]
    assert "sending_paused" in names and "reading_paused" in names and "intake_paused_by_staff" not in names, names
    assert data("resend", "1", "receipt", "--anew", "--reason", "担当者の変更")[0]["notice"] > 0
    assert "次の段階は" in ctl("move", "1", "logo_authorized", "--reason", "至急", rc=1, lang="ja_JP.UTF-8")
    assert "ID発行済み" in ctl("move", "1", "ID発行済み", "--reason", "至急", lang="ja_JP.UTF-8")
    issued = data("show", "1")[0]
    assert issued["state"] == "id_issued" and issued["notices"][-1]["state"] == "queued", issued
    assert "一時停止" in ctl("why", "1", lang="ja_JP.UTF-8")
    ctl("undo", "1", "--reason", "取り違え")
    back = data("show", "1")[0]
    assert back["state"] == "received" and back["notices"][-1]["state"] == "cancelled", back
    assert "resume sending" in ctl("plan")
    ctl("resume", "sending", "reading")
    ctl("resume", "sending", rc=1)
    ctl("release", "1")
    ctl("move", "1", "id_issued", "--reason", "至急")
    wait_for("the ID's notice", lambda: data("show", "1")[0]["notices"][-1]["state"] == "sent")
    assert data("show", "1")[0]["declaration_id"] == issued["declaration_id"]
    assert "すでに送信" in ctl("undo", "1", "--reason", "取り違え", rc=1, lang="ja_JP.UTF-8")
    who = [row["actor"] for row in data("show", "1")[0]["history"] if row["event"] == "correct"]
    assert who == ["staff:%d(%s)" % (os.geteuid(), pwd.getpwuid(os.geteuid()).pw_name)], who
    assert data("audit")[0]["whole"] is True


def batching(daemon):
    """The first letters of templates that nobody has seen yet wait for two people; the daemon's user is one of them."""
    shutil.copytree(os.path.join(ROOT, "templates", "mail"), os.path.join(work, "mail"))
    receipt = os.path.join(work, "mail", "form", "receipt.txt")
    with open(receipt, "a", encoding="utf-8") as out:
        out.write("\n（新しい文面です。）\n")
    with open(CONF, "a", encoding="utf-8") as conf:
        conf.write('template_directory = "mail";\nsecond_person = ( "templates" );\n')
    daemon.send_signal(signal.SIGHUP)
    batch = wait_for("the question", lambda: data("batches"))[0]
    assert batch["reason"] == "templates" and batch["waiting"] == 0 and not batch["samples"], batch
    before = max(line["application"] for line in data("list"))
    form = open(FORM, encoding="utf-8-sig").read().replace("4999202479656", "7010705000725")
    path = os.path.join(work, "spool", "incoming", "another.txt")
    with open(path + ".part", "w", encoding="utf-8") as out:
        out.write(form)
    os.rename(path + ".part", path)
    new = wait_for("another application", lambda: [line for line in data("list") if line["application"] > before])[0]["application"]
    ctl("approve", str(new), "確認済み")
    batch = wait_for("its receipt", lambda: [line for line in data("batches") if line["waiting"]])[0]
    mail = data("show", str(new))[0]["form"]["mail"]
    sample = batch["samples"][0]
    assert batch["waiting"] == 1 and sample["application"] == new and "新しい文面" in sample["body"], batch
    assert mail not in sample["body"] + sample["to"] and sample["to"].endswith("@" + mail.split("@")[1]), batch
    shown = ctl("batches", lang="ja_JP.UTF-8")
    assert "release --batch %d" % batch["batch"] in shown and mail not in shown, shown
    assert "sengenctl batches" in ctl("why", str(new))
    assert data("release", "--batch", str(batch["batch"]))[0]["waits_for_second"] is True
    assert "二人" in ctl("release", "--batch", str(batch["batch"]), rc=1, lang="ja_JP.UTF-8")
    assert data("batches")[0]["first_by"].startswith("staff:")
    assert "batch_templates" in [question["name"] for question in json.loads(ctl("status", "--json", rc=1))["questions"]]


def main():
    with open(CONF, "w", encoding="utf-8") as conf:
        conf.write('spool_directory = "spool";\nstate_directory = "state";\nruntime_directory = "run";\n'
                   'settle_seconds = 0;\nrescan_seconds = 1;\nmailbox_poll_seconds = 1;\n')
    os.makedirs(os.path.join(work, "spool", "incoming"))
    before_the_daemon()
    log = open(os.path.join(work, "log"), "wb")
    daemon = subprocess.Popen([os.path.join(BUILD, "sengend"), "-c", CONF], stdout=log, stderr=log)
    try:
        wait_for("the control socket", lambda: os.path.exists(os.path.join(work, "run", "control.sock")))
        partial = os.path.join(work, "spool", "incoming", "003.part")
        shutil.copyfile(FORM, partial)
        os.rename(partial, partial[:-5] + ".txt")
        wait_for("the application", lambda: os.path.exists(os.path.join(work, "state", "register.db"))
                 and "\n1 " in ctl("list") and True)
        reading()
        deciding()
        importing()
        previewing()
        resolving()
        returning()
        auditing()
        ending()
        changing()
        batching(daemon)
    except BaseException:
        sys.stdout.write(open(log.name, encoding="utf-8", errors="replace").read()[-4000:])
        raise
    finally:
        daemon.terminate()
        daemon.wait(90)
        shutil.rmtree(work)
    print("sengenctl: every command answered as it should")


if __name__ == "__main__":
    main()
