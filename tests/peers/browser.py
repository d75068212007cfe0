"""One headless Chromium, driven over its debugging pipe: what a page shows, asks for and complains of.

As a program:
    browser.py screenshot PAGE OUT.png WIDTH [--dark] [--height PIXELS] [--now TIME]    (the whole page unless a height is given)
    browser.py print PAGE OUT.pdf [--now TIME]                                          (as the browser prints it on A4)
PAGE is a file or an address; TIME, in ISO 8601, is what the page takes for the present. As a module: see Browser; every test of a page uses the same one.
"""
import base64
import datetime
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--disable-breakpad", "--font-render-hinting=none", "--force-color-profile=srgb", "--lang=ja",
    # No name leads anywhere: a page that asks for something from outside is found out, and gets nothing.
    "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe",
)


class BrowserError(Exception):
    pass


class Browser:
    """with Browser() as browser: page = browser.open("index.html", width=390)"""

    def __init__(self, timeout=40):
        self.timeout = timeout
        self.home = tempfile.mkdtemp(prefix="sengen-browser.")
        self.number = 0
        self.events = []
        self.buffer = b""
        program = next((p for p in map(shutil.which, PROGRAMS) if p), None)
        if not program:
            raise BrowserError("no Chromium is installed (package chromium)")
        their_in, self.out = os.pipe()
        self.input, their_out = os.pipe()
        command = [program, *FLAGS, "--user-data-dir=" + os.path.join(self.home, "profile"), "about:blank"]
        self.process = subprocess.Popen(
            ["bash", "-c", 'exec "$@" 3<&%d 4>&%d' % (their_in, their_out), "bash", *command],
            pass_fds=(their_in, their_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(os.path.join(self.home, "stderr"), "wb"), start_new_session=True,
            env=dict(os.environ, HOME=self.home, XDG_CONFIG_HOME=self.home, XDG_CACHE_HOME=self.home, TZ="Asia/Tokyo"))
        os.close(their_in)
        os.close(their_out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.call("Browser.close")
        except (BrowserError, OSError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.out)
        os.close(self.input)
        shutil.rmtree(self.home, ignore_errors=True)

    # ---- the pipe: one JSON text after the other, NUL between ----

    def read(self, deadline):
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.input], [], [], left)[0]:
                raise BrowserError("the browser did not answer in time")
            more = os.read(self.input, 1 << 20)
            if not more:
                raise BrowserError("the browser ended: " + self.complaint())
            self.buffer += more
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def complaint(self):
        text = pathlib.Path(self.home, "stderr").read_text("utf-8", "replace")
        return text[-2000:]

    def call(self, method, session=None, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data):]
        deadline = time.monotonic() + self.timeout
        while True:
            answer = self.read(deadline)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise BrowserError("%s: %s" % (method, answer["error"].get("message")))
                return answer["result"]
            if "method" in answer:
                self.events.append(answer)

    def wait_for(self, method, session):
        deadline = time.monotonic() + self.timeout
        while True:
            for event in self.events:
                if event["method"] == method and event.get("sessionId") == session:
                    return event["params"]
            answer = self.read(deadline)
            if "method" in answer:
                self.events.append(answer)

    def open(self, page, width=1280, height=900, dark=False, scripts=True, now=None):
        return Page(self, page, width, height, dark, scripts, now)


class Page:
    def __init__(self, browser, page, width, height, dark, scripts, now):
        self.browser = browser
        self.url = page if "://" in page else pathlib.Path(page).resolve().as_uri()
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.target = target
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility", "DOM"):
            self.call(domain + ".enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.media(dark=dark)
        if not scripts:
            self.call("Emulation.setScriptExecutionDisabled", value=True)
        if now:
            moment = datetime.datetime.fromisoformat(now).timestamp() * 1000
            self.call("Page.addScriptToEvaluateOnNewDocument", source="Date.now = () => %d" % moment)
        self.width = width
        self.call("Page.navigate", url=self.url)
        browser.wait_for("Page.loadEventFired", self.session)

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def media(self, kind="", dark=False):
        self.call("Emulation.setEmulatedMedia", media=kind,
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def evaluate(self, script):
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise BrowserError("%s: %s" % (script, json.dumps(answer["exceptionDetails"], ensure_ascii=False)))
        return answer["result"].get("value")

    def wait_until(self, script, seconds=20):
        """Asks until the expression is true."""
        deadline = time.monotonic() + seconds
        while not self.evaluate(script):
            if time.monotonic() > deadline:
                raise BrowserError("never became true: " + script)
            time.sleep(0.02)

    def html(self):
        return self.evaluate("document.documentElement.outerHTML")

    def key(self, name, code=None, text=None):
        """Presses and releases one key: "Tab", "Enter", "a"."""
        known = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38}
        params = {"key": name, "code": code or name, "windowsVirtualKeyCode": known.get(name, 0)}
        if name == "Enter":
            text = "\r"
        if text or len(name) == 1:
            params["text"] = text or name
        self.call("Input.dispatchKeyEvent", type="keyDown", **params)
        params.pop("text", None)
        self.call("Input.dispatchKeyEvent", type="keyUp", **params)

    def type(self, text):
        """As an input method does: into whatever has the focus."""
        self.call("Input.insertText", text=text)

    def tree(self):
        """The accessibility tree: [(role, name, description)] of what is not ignored."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]

        def value(node, key):
            return str(node.get(key, {}).get("value", ""))
        return [(value(n, "role"), value(n, "name"), value(n, "description")) for n in nodes if not n.get("ignored")]

    # ---- what happened meanwhile ----

    def mine(self, method):
        return [e["params"] for e in self.browser.events if e["method"] == method and e.get("sessionId") == self.session]

    def complaints(self):
        """Errors and warnings of the console, uncaught exceptions, violations of the page's own policy."""
        self.evaluate("0")
        found = ["console: " + json.dumps(p.get("args"), ensure_ascii=False)
                 for p in self.mine("Runtime.consoleAPICalled") if p["type"] in ("error", "warning", "assert")]
        found += ["exception: " + json.dumps(p["exceptionDetails"], ensure_ascii=False)
                  for p in self.mine("Runtime.exceptionThrown")]
        found += ["log: " + p["entry"]["text"] for p in self.mine("Log.entryAdded")
                  if p["entry"]["level"] in ("error", "warning")]
        return found

    def requests(self):
        return [p["request"]["url"] for p in self.mine("Network.requestWillBeSent")]

    def outside_requests(self):
        return [url for url in self.requests() if not url.startswith(("file:", "about:", "data:"))]

    # ---- pictures ----

    def screenshot(self, path, height=None):
        """The whole page, or its first `height` pixels."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": self.width, "height": height or size["height"], "scale": 1}
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def print(self, path):
        """As PDF on the paper the page asks for."""
        data = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)


def main(args):
    dark = "--dark" in args
    height = int(args[args.index("--height") + 1]) if "--height" in args else None
    if len(args) < 4 or args[1] not in ("screenshot", "print"):
        print(__doc__, file=sys.stderr)
        return 2
    now = args[args.index("--now") + 1] if "--now" in args else None
    with Browser() as browser:
        if args[1] == "print":
            browser.open(args[2], now=now).print(args[3])
        else:
            browser.open(args[2], width=int(args[4]), dark=dark, now=now).screenshot(args[3], height)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
