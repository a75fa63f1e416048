"""The page in headless Chromium, through its DevTools: for the tests of `server` and `web`.

Python's standard library alone. A pipe carries the messages, so no port and no WebSocket are needed.
"""

import base64
import itertools
import json
import math
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PICTURES = ROOT / "target" / "browser-test"


def arc(x, y, across, down, start, end):
    """Points on an ellipse; angles in degrees, clockwise from the right."""
    angles = [math.radians(start + (end - start) * i / 16) for i in range(17)]
    return [(x + across * math.cos(a), y + down * math.sin(a)) for a in angles]


# Lines drawn with the pen down, in 0..1.
DIGITS = {
    0: [arc(0.5, 0.5, 0.2, 0.33, -90, 270)],
    1: [[(0.38, 0.3), (0.53, 0.15), (0.53, 0.85)]],
    2: [arc(0.48, 0.34, 0.2, 0.19, -170, 35) + [(0.3, 0.83), (0.72, 0.83)]],
    3: [arc(0.46, 0.33, 0.2, 0.17, -150, 90) + arc(0.46, 0.67, 0.23, 0.18, -90, 150)],
    4: [[(0.52, 0.14), (0.27, 0.58), (0.74, 0.58)], [(0.6, 0.36), (0.6, 0.88)]],
    5: [[(0.68, 0.15), (0.36, 0.15), (0.34, 0.45)] + arc(0.46, 0.63, 0.22, 0.2, -110, 150)],
    6: [[(0.6, 0.13), (0.43, 0.32), (0.33, 0.55)] + arc(0.49, 0.66, 0.17, 0.18, 180, 540)],
    7: [[(0.28, 0.17), (0.71, 0.17), (0.45, 0.86)]],
    8: [arc(0.5, 0.33, 0.15, 0.17, 90, 450) + arc(0.5, 0.68, 0.19, 0.18, -90, 270)],
    9: [arc(0.49, 0.34, 0.18, 0.18, 0, 360) + [(0.67, 0.36), (0.6, 0.86)]],
}


def skip_without_chromium():
    """The browser's path; ends the program, well, where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    print("skipped: there is no Chromium here (Debian's package is `chromium`)")
    sys.exit(0)


class Browser:
    """A headless Chromium with one page."""

    def __init__(self, path):
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        commands, self.write = os.pipe()
        self.read, answers = os.pipe()
        # Chromium reads from 3 and writes to 4: out of the way of both first.
        for_child = [os.dup(fd) for fd in (commands, answers)]
        high = [self._above(fd) for fd in for_child]

        def place():
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        arguments = [path, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                     "--no-first-run", f"--user-data-dir={self.profile.name}",
                     "--remote-debugging-pipe", "about:blank"]
        self.process = subprocess.Popen(arguments, preexec_fn=place, pass_fds=(3, 4),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for fd in (commands, answers, *for_child, *high):
            os.close(fd)
        self.buffer, self.ids, self.session, self.faults = b"", itertools.count(1), None, []
        targets = self.call("Target.getTargets")["targetInfos"]
        target = next(one["targetId"] for one in targets if one["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.size(1100, 760)

    @staticmethod
    def _above(fd):
        import fcntl
        return fcntl.fcntl(fd, fcntl.F_DUPFD, 20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.profile.cleanup()

    def _message(self, deadline):
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.read], [], [], left)[0]:
                raise TimeoutError("Chromium does not answer")
            chunk = os.read(self.read, 1 << 20)
            if not chunk:
                raise EOFError("Chromium has ended")
            self.buffer += chunk
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        """Calls a method of the DevTools."""
        message = {"id": next(self.ids), "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + 60
        while True:
            answer = self._message(deadline)
            if answer.get("id") == message["id"]:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            if answer.get("method") == "Runtime.exceptionThrown":
                self.faults.append(answer["params"]["exceptionDetails"])
            if answer.get("method") == "Log.entryAdded" and answer["params"]["entry"]["level"] == "error":
                self.faults.append(answer["params"]["entry"]["text"])

    def evaluate(self, expression):
        """The value of some JavaScript."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"]))
        return result["result"].get("value")

    def until(self, expression, what):
        """Waits until some JavaScript is true."""
        deadline = time.monotonic() + 20
        while not self.evaluate(expression):
            if time.monotonic() > deadline:
                raise TimeoutError(what)
            time.sleep(0.02)

    def open(self, address):
        self.call("Page.navigate", url=address)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'", f"{address} does not load")

    def size(self, width, height, mobile=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=2 if mobile else 1, mobile=mobile)

    def dark(self, dark):
        value = "dark" if dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": value}])

    def picture(self, name):
        """A screenshot, for somebody to look at."""
        time.sleep(0.3)
        PICTURES.mkdir(parents=True, exist_ok=True)
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        (PICTURES / f"{name}.png").write_bytes(base64.b64decode(data))


class Page:
    """The page to draw on."""

    def __init__(self, browser, address):
        self.browser = browser
        browser.open(address)

    def clear(self):
        # No pointer: the button may lie below a small window.
        self.browser.evaluate("document.getElementById('clear').click()")
        self.browser.until("!document.body.dataset.digit && !asking", "the drawing is not cleared")

    def draw(self, lines, touch=False):
        """Draws lines as a hand does, and returns the probabilities when the page has settled."""
        box = self.browser.evaluate("(() => { scrollTo(0, 0); return drawing.getBoundingClientRect().toJSON(); })()")
        for line in lines:
            points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in dense(line)]
            for i, (x, y) in enumerate(points + points[-1:]):
                self._pointer(("down" if i == 0 else "up" if i == len(points) else "move"), x, y, touch)
        return self.settled()

    def _pointer(self, what, x, y, touch):
        if touch:
            kind = {"down": "touchStart", "move": "touchMove", "up": "touchEnd"}[what]
            points = [] if what == "up" else [{"x": x, "y": y}]
            self.browser.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
        else:
            kind = {"down": "mousePressed", "move": "mouseMoved", "up": "mouseReleased"}[what]
            self.browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def settled(self):
        self.browser.until("document.body.dataset.digit && !asking", "there is no prediction")
        texts = "[...document.querySelectorAll('li .percent')].map((one) => parseFloat(one.textContent) / 100)"
        return self.browser.evaluate(texts)

    def drop(self, lines, ink, paper):
        """Drops a picture with these lines."""
        self.browser.evaluate(f"""(async () => {{
            const canvas = new OffscreenCanvas(300, 200), context = canvas.getContext("2d");
            context.fillStyle = {json.dumps(paper)}; context.fillRect(0, 0, 300, 200);
            Object.assign(context, {{ strokeStyle: {json.dumps(ink)}, lineWidth: 9 }});
            for (const line of {json.dumps([dense(line) for line in lines])}) {{
                context.beginPath();
                for (const [x, y] of line) context.lineTo(150 + 100 * x, 50 + 100 * y);
                context.stroke();
            }}
            const transfer = new DataTransfer();
            transfer.items.add(new File([await canvas.convertToBlob()], "digit.png", {{ type: "image/png" }}));
            delete document.body.dataset.digit;
            dispatchEvent(new DragEvent("drop", {{ dataTransfer: transfer, cancelable: true }}));
        }})()""")
        return self.settled()


def dense(line):
    """A line with points between its corners."""
    points = [line[0]]
    for (x0, y0), (x1, y1) in zip(line, line[1:]):
        steps = max(1, round(math.hypot(x1 - x0, y1 - y0) / 0.04))
        points += [(x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps) for i in range(1, steps + 1)]
    return points


def check(address, name, path):
    """All that both pages must do. Returns the browser's measurements."""
    wrong = []

    def expect(digit, probabilities, how):
        most = probabilities.index(max(probabilities))
        print(f"{how}: a {digit} is read as {most} with {max(probabilities):.1%}")
        if most != digit:
            wrong.append(f"{how}: {digit} as {most}")

    with Browser(path) as browser:
        page = Page(browser, address)
        browser.picture(f"{name}-empty")
        for digit, lines in DIGITS.items():
            expect(digit, page.draw(lines), "mouse")
            if digit in (3, 7):
                browser.picture(f"{name}-{digit}")
            page.clear()
        # Small, in a corner.
        for digit in (0, 1, 2, 7):
            small = [[(0.05 + 0.35 * x, 0.6 + 0.35 * y) for x, y in line] for line in DIGITS[digit]]
            expect(digit, page.draw(small), "small")
            page.clear()
        for ink, paper in (("#222", "#ddd"), ("#ffe", "#147")):
            expect(4, page.drop(DIGITS[4], ink, paper), "dropped")
        browser.picture(f"{name}-dropped")
        page.clear()
        times = browser.evaluate("typeof measure === 'function' ? measure() : null")

        browser.size(390, 844, mobile=True)
        browser.dark(True)
        browser.call("Emulation.setTouchEmulationEnabled", enabled=True)
        expect(3, page.draw(DIGITS[3], touch=True), "touch")
        browser.picture(f"{name}-phone")
        browser.size(1100, 760)
        browser.picture(f"{name}-dark")
        wide = browser.evaluate("document.documentElement.scrollWidth > innerWidth")
        if browser.faults or wide:
            wrong.append(f"the page complains: {browser.faults}, too wide: {wide}")
    if wrong:
        print("FAILED: " + "; ".join(map(str, wrong)))
        sys.exit(1)
    print(f"pictures are in {PICTURES.relative_to(ROOT)}/")
    return times
