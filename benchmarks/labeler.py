"""The labeler in JupyterLab and headless Chromium: click to drawn point, key to next frame, memory of a long session.

    python benchmarks/labeler.py [--sizes 480x640 1080x1920] [--clicks 200] [--steps 100] [--long 500] [--ratio 2] …

Real mouse and key events; a hook on the page's canvas looks for the point's colour where the click was, or for the
frame's number in its pixels. Prints one line per image size, without and with the server extension (TCP_NODELAY):
milliseconds (median and 95th percentile) from the release of the button to the drawn point, with and without the
loupe, and from the key press to the next frame. ``--long N`` then labels N frames of 640 x 480 with 20 bodyparts each
and tells latency and memory at its beginning and its end. ``--training N`` measures clicks N times by turns without
and with a training that the same kernel has started. Software rendering: a real screen is quicker.
"""

import argparse
import itertools
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter

import cv2
import numpy as np
import psutil
import websocket
from pages import ARGUMENTS, Lab, find_chromium, lab_page

from dlcnb.project import Project
from dlcnb.video import VideoWriter

BITS, PARTS = 10, tuple(f"part{k:02d}" for k in range(20))
UNHINDERED = [
    "--window-size=1280,1300",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
]
HOOK = """
    const draw = CanvasRenderingContext2D.prototype.drawImage;
    window.waiting = null; window.times = []; window.start = 0;
    const shown = (context) => {
        const { width, height } = context.canvas, row = context.getImageData(0, height - (height >> 4), width, 1).data;
        let frame = 0;
        for (let bit = 0; bit < BITS; bit++)
            if (row[4 * Math.floor((0.3 + (0.4 * (bit + 0.5)) / BITS) * width)] > 127) frame |= 1 << bit;
        return frame;
    };
    const near = (context, [x, y, color]) => {
        const pixel = context.getImageData(Math.floor(x), Math.floor(y), 1, 1).data;
        return color.every((value, n) => Math.abs(value - pixel[n]) < 24);
    };
    CanvasRenderingContext2D.prototype.drawImage = function (...args) {
        draw.apply(this, args);
        if (!window.waiting || !this.canvas.isConnected || this.canvas.height < 100) return;
        const { frame, point } = window.waiting;
        if (frame === undefined ? near(this, point) : shown(this) === frame) {
            window.times.push(performance.now() - window.start);
            window.waiting = null;
        }
    };
    const begin = (event) => { if (window.waiting) window.start = event.timeStamp; };
    window.addEventListener('pointerup', begin, true);
    window.addEventListener('keydown', begin, true);
""".replace("BITS", str(BITS))

CANVAS = """() => {
    const canvas = document.querySelector('.dlcnb canvas');
    canvas.scrollIntoView({ block: 'center', behavior: 'instant' });
    const box = canvas.getBoundingClientRect();
    return [canvas.width, canvas.height, box.width / canvas.width, box.x, box.y];
}"""


def make_project(parent, size, count):
    """A project with ``count`` frames that say their number in their last rows, in the middle: no loupe lies there."""
    rng = np.random.default_rng(0)
    height, width = size
    coarse = rng.integers(40, 200, (height // 8, width // 8, 3), np.uint8)
    base = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    video = parent / "numbered.mp4"
    with VideoWriter(video, size, 30) as writer:
        for _ in range(3):
            writer.write(base)
    project = Project.create("bench", f"s{height}", [video], PARTS, parent=parent)
    folder = project.labeled_dir(video)
    folder.mkdir()
    for frame in range(count):
        image = np.clip(base.astype(int) + rng.integers(-8, 8, (height, width, 1)), 0, 255).astype(np.uint8)
        for bit in range(BITS):
            columns = slice(*(round((0.3 + 0.4 * edge / BITS) * width) for edge in (bit, bit + 1)))
            image[-height // 8 :, columns] = 255 * (frame >> bit & 1)
        cv2.imwrite(str(folder / f"img{frame:04d}.png"), image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return project


class Bench:
    """A labeler on a page, and what clicks and keys take until they show."""

    def __init__(self, lab, project, name, *cells):
        self.lab, self.page = lab, lab.page
        lab.page.set_viewport_size({"width": 1280, "height": 1200})
        lab.open(name, f"import os\nfrom dlcnb import Labeler\np = Labeler({str(project.root)!r})", "p", *cells)
        lab.page.locator(".dlcnb canvas").nth(1).wait_for()
        lab.until("p.input.guard.attached > 0 and p.wait()")
        lab.page.evaluate(f"() => {{ {HOOK} }}")
        self.colors = lab.ask("p.colors.tolist()")
        self.rng = np.random.default_rng(1)
        self.aim()

    def aim(self):
        """See where the canvas lies on the page."""
        self.width, self.height, self.scale, self.left, self.top = self.page.evaluate(CANVAS)

    def _done(self):
        self.page.wait_for_function("() => window.waiting === null", polling=5)

    def click(self, part):
        """Click somewhere while ``part`` is the current bodypart; returns when it is drawn."""
        x = int(self.rng.uniform(20, self.width - 220)) + 0.5
        y = int(self.rng.uniform(20, self.height * 0.8)) + 0.5
        self.page.mouse.move(self.left + x * self.scale, self.top + y * self.scale)
        self.page.evaluate("point => { window.waiting = { point } }", [x, y, self.colors[part]])
        self.page.mouse.down()
        self.page.mouse.up()
        self._done()

    def next_frame(self, frame, key="d"):
        """Press a key; returns when frame number ``frame`` is drawn."""
        self.page.evaluate("frame => { window.waiting = { frame } }", frame)
        self.page.keyboard.press(key)
        self._done()

    def times(self):
        """Milliseconds of all since the last call."""
        return np.array(self.page.evaluate("() => window.times.splice(0)"))

    def label(self, frames, first=0):
        """Label whole frames; returns times of clicks and of going on."""
        clicks, steps = [], []
        for frame in range(first, first + frames):
            for part in range(len(PARTS)):
                self.click(part)
            clicks.extend(self.times())
            self.next_frame(frame + 1)
            steps.extend(self.times())
        return np.array(clicks), np.array(steps)


def told(times):
    return f"{np.median(times):.0f} ms (p95 {np.percentile(times, 95):.0f})"


def measure(lab, folder, size, arguments):
    frames = -(-arguments.clicks // len(PARTS))
    project = make_project(folder, size, max(arguments.steps, 2 * frames) + 2)
    bench = Bench(lab, project, f"labeler{size[0]}")
    clicks, _ = bench.label(frames)
    bench.page.keyboard.press("l")
    plain, _ = bench.label(frames, frames)
    bench.next_frame(0, "Home")
    bench.times()
    for frame in range(arguments.steps):
        bench.next_frame(frame + 1)
    result = {"click": told(clicks), "click without loupe": told(plain), "next frame": told(bench.times())}
    lab.close()
    return result


def resident(processes):
    return sum(p.memory_info().rss for p in processes if p.is_running()) / 2**20


def told_memory(browser):
    """Resident memory of the browser's processes, by what they do."""
    found = Counter()
    for process in (p for p in browser if p.is_running()):
        kind = next((a.partition("=")[2] for a in process.cmdline() if a.startswith("--type=")), "main")
        found[kind] += resident([process])
    return f"browser {sum(found.values()):.0f} MB ({', '.join(f'{k} {v:.0f}' for k, v in found.most_common(4))})"


class Chromium:
    """A browser of our own, which Playwright can join and leave."""

    def __init__(self, folder):
        line = [find_chromium(), "--headless", "--remote-debugging-port=0", f"--user-data-dir={folder}", *UNHINDERED]
        self.process = subprocess.Popen(
            [*line, *ARGUMENTS, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        told, pause = folder / "DevToolsActivePort", threading.Event()
        while not (told.exists() and "\n" in told.read_text()):
            if self.process.poll() is not None:
                sys.exit("Chromium did not start.")
            pause.wait(0.05)
        self.url = f"http://127.0.0.1:{told.read_text().split()[0]}"

    def page(self, url):
        """The page whose address begins so."""
        with urllib.request.urlopen(f"{self.url}/json/list") as answer:
            address = next(t["webSocketDebuggerUrl"] for t in json.load(answer) if t["url"].startswith(url))
        return DevTools(address)


class DevTools:
    """A page driven by DevTools alone, by as much of Playwright's interface as is used here.

    Playwright has Chromium's network log switched on, which keeps a copy of every picture that the page shows.
    """

    def __init__(self, address):
        self._socket = websocket.create_connection(address, suppress_origin=True)
        self._calls, self._place, self.mouse, self.keyboard = itertools.count(), {}, self, self

    def send(self, method, **parameters):
        call = next(self._calls)
        self._socket.send(json.dumps({"id": call, "method": method, "params": parameters}))
        while (answer := json.loads(self._socket.recv())).get("id") != call:
            pass
        return answer["result"]

    def evaluate(self, function, argument=None):
        code = f"({function})({json.dumps(argument)})"
        answer = self.send("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            sys.exit(f"The page failed: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_for_function(self, function, polling):
        self.evaluate(
            f"async () => {{ while (!({function})()) await new Promise((go) => setTimeout(go, {polling})); }}"
        )

    def wait_for_timeout(self, milliseconds):
        self.evaluate("time => new Promise((go) => setTimeout(go, time))", milliseconds)

    def move(self, x, y):
        self._place = {"x": x, "y": y}
        self.send("Input.dispatchMouseEvent", type="mouseMoved", **self._place)

    def down(self):
        self.send(
            "Input.dispatchMouseEvent", type="mousePressed", button="left", buttons=1, clickCount=1, **self._place
        )

    def up(self):
        self.send("Input.dispatchMouseEvent", type="mouseReleased", button="left", clickCount=1, **self._place)

    def press(self, letter):
        key = {"key": letter, "code": f"Key{letter.upper()}", "windowsVirtualKeyCode": ord(letter.upper())}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=letter, **key)
        self.send("Input.dispatchKeyEvent", type="keyUp", **key)

    def heap(self):
        """MB of JavaScript objects that the page still uses."""
        self.send("HeapProfiler.collectGarbage")
        return self.send("Runtime.getHeapUsage")["usedSize"] / 2**20


def long_session(playwright, server, folder, count):
    """Label many frames, and compare the end with the beginning."""
    (folder / "long").mkdir()
    project, chromium = make_project(folder / "long", (480, 640), count + 1), Chromium(folder / "profile")
    try:
        guest = playwright.chromium.connect_over_cdp(chromium.url)
        lab = Lab(guest.contexts[0].new_page(), server)
        bench = Bench(lab, project, "long")
        guest.close()
        lab.page = bench.page = chromium.page(server.url)
        bench.aim()
        label_all(bench, psutil.Process(chromium.process.pid), count)
    finally:
        chromium.process.terminate()
        chromium.process.wait()


def label_all(bench, browser, count):
    """Label so many frames, and tell every tenth of them what it takes."""
    lab, kernel = bench.lab, [psutil.Process(bench.lab.ask("os.getpid()"))]
    tenth, began = max(count // 10, 1), time.monotonic()
    for n in range(0, count, tenth):
        clicks, steps = bench.label(min(tenth, count - n), n)
        print(
            f"{n + len(steps)} frames, {time.monotonic() - began:.0f} s: click {told(clicks)}, next {told(steps)}, "
            f"kernel {resident(kernel):.0f} MB, page {bench.page.heap():.1f} MB, "
            f"{told_memory([browser, *browser.children(recursive=True)])}",
            flush=True,
        )
    lab.until("p.wait(60)")
    saved = lab.ask("[len(p.session.images), int(p.session.counts()['done'])]")
    print(f"{saved[1]} of {saved[0]} frames done and saved")


TRAIN = """
import pathlib, tempfile
from dlcnb import TrainingMonitor, sampledata
arena = sampledata.synthetic_project(pathlib.Path(tempfile.mkdtemp()), n_label=40)
m = TrainingMonitor(arena)
m
"""


def beside_training(lab, folder, arguments):
    """Clicks by turns alone and beside a training; the page shows its monitor, too, as a user's would."""
    frames = -(-arguments.clicks // len(PARTS))
    project = make_project(folder, (480, 640), 2 * arguments.training * frames + 2)
    bench, first = Bench(lab, project, "training", TRAIN), 0
    for _ in range(arguments.training):
        for training in (False, True):
            if training:
                lab.ask("m.start()")
                lab.until("m.state.step > 3 or m.state.message", patience=300_000)
            before = lab.ask("m.state.step")
            psutil.cpu_percent()
            clicks, _ = bench.label(frames, first)
            busy, first, steps = psutil.cpu_percent(), first + frames, lab.ask("m.state.step") - before
            name = f"training ({steps} steps)" if training else "no training"
            print(f"{name}: click {told(clicks)}, processors {busy:.0f} % busy", flush=True)
        lab.ask("m.stop()")
        lab.until("not m.state.active", patience=300_000)
    lab.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="*", default=["480x640", "1080x1920"], metavar="HxW")
    parser.add_argument("--ratio", type=float, default=1, help="device pixels per CSS pixel")
    parser.add_argument("--clicks", type=int, default=200)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--long", type=int, default=0, metavar="FRAMES", help="of a session with 20 bodyparts each")
    parser.add_argument("--training", type=int, default=0, metavar="TURNS", help="also clicks beside a training")
    arguments = parser.parse_args()
    for nodelay in (False, True) if arguments.sizes else (True,):
        with lab_page(nodelay, arguments.ratio) as (lab, playwright):
            folder = lab.server.root
            for size in arguments.sizes:
                result = measure(lab, folder, tuple(int(n) for n in size.split("x")), arguments)
                text = ", ".join(f"{k} {v}" for k, v in result.items())
                print(f"{size}, {'TCP_NODELAY' if nodelay else 'plain server'}: {text}", flush=True)
            if nodelay and arguments.training:
                beside_training(lab, folder, arguments)
            if nodelay and arguments.long:
                long_session(playwright, lab.server, folder, arguments.long)


if __name__ == "__main__":
    main()
