"""The player in JupyterLab and headless Chromium: key press to pixels, playback, memory.

    python benchmarks/player.py [--sizes 480x640 1080x1920] [--steps 100] [--minutes 1] [--ratio 2]

Each frame of the video says its number in its pixels; a hook on the page's canvas reads it as it is drawn. Prints one
line per video size, without and with the server extension (TCP_NODELAY): milliseconds from a key press to the drawn
frame (median and 95th percentile), forward and back; frames per second seen at 30 and 60 fps; and how much the
browser's processes and the kernel grew during playback. Software rendering: a real screen is quicker.
"""

import argparse

import numpy as np
import psutil
from pages import lab_page

BITS = 12
VIDEO = """
import os
import cv2, numpy as np
from dlcnb import Player, Poses, VideoWriter
SIZE, N, FPS, BITS = {size}, {frames}, {fps}, {bits}
rng = np.random.default_rng(0)
noise = cv2.resize(rng.integers(40, 200, (SIZE[0] // 8, SIZE[1] // 8 + 60, 3), np.uint8), (SIZE[1] + 480, SIZE[0]))
with VideoWriter("numbered.mp4", SIZE, FPS) as writer:
    for frame in range(N):
        image = noise[:, frame % 480 : frame % 480 + SIZE[1]].copy()
        image += rng.integers(0, 12, image.shape, np.uint8)
        for bit in range(BITS):
            image[: SIZE[0] // 8, bit * SIZE[1] // BITS : (bit + 1) * SIZE[1] // BITS] = 255 * (frame >> bit & 1)
        writer.write(image)
points = rng.uniform(100, SIZE[0], (N, 4, 2))
p = Player("numbered.mp4", Poses(tuple("abcd"), "net", points, np.ones((N, 4))))
"""
HOOK = """
    const draw = CanvasRenderingContext2D.prototype.drawImage;
    window.seen = []; window.waiting = null;
    CanvasRenderingContext2D.prototype.drawImage = function (...args) {
        draw.apply(this, args);
        if (!this.canvas.isConnected || this.canvas.height < 100) return;
        const { width, height } = this.canvas;
        const row = this.getImageData(0, height >> 4, width, 1).data;
        let frame = 0;
        for (let bit = 0; bit < BITS; bit++)
            if (row[4 * Math.floor(((bit + 0.5) * width) / BITS)] > 127) frame |= 1 << bit;
        const now = performance.now();
        if (frame !== window.last) window.seen.push([frame, now]);
        window.last = frame;
        if (window.waiting && window.waiting.frame === frame) { window.waiting.done(now); window.waiting = null; }
    };
    window.press = async (key, first, count, direction) => {
        const canvas = document.querySelector('.dlcnb canvas'), times = [];
        for (let i = 1; i <= count; i++) {
            const start = performance.now();
            const drawn = new Promise((done) => { window.waiting = { frame: first + i * direction, done }; });
            canvas.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
            times.push((await drawn) - start);
        }
        return times;
    };
""".replace("BITS", str(BITS))


def resident(processes):
    return sum(p.memory_info().rss for p in processes if p.is_running()) / 2**20


def browser_processes():
    return [p for p in psutil.Process().children(recursive=True) if "chrom" in p.name()]


def playback(lab, fps, seconds):
    """Frames per second drawn while playing ``seconds`` of the video at ``fps``, from frame 0."""
    lab.ask("p.state.home()")
    lab.ask(f"setattr(p.state, 'speed', {fps} / p.state.fps)")
    lab.page.wait_for_timeout(500)
    lab.page.evaluate("() => { window.seen = []; }")
    lab.ask("p.play()")
    lab.page.wait_for_timeout(int(seconds * 1000))
    lab.ask("p.pause()")
    times = [t for _, t in lab.page.evaluate("() => window.seen")]
    return (len(times) - 1) / (times[-1] - times[0]) * 1000


def measure(lab, size, arguments):
    frames = min(max(int(arguments.minutes * 1800), arguments.steps, 500) + 60, 2**BITS - 1)
    lab.page.set_viewport_size({"width": 1400, "height": 1300})
    lab.open(f"player{size[0]}", VIDEO.format(size=size, frames=frames, fps=30, bits=BITS), "p")
    lab.page.locator(".dlcnb canvas").nth(1).wait_for()
    lab.until("p.input.guard.attached > 0 and p.wait()")
    lab.page.evaluate(f"() => {{ {HOOK} }}")
    result = {}
    forward = lab.page.evaluate(f"() => press('ArrowRight', 0, {arguments.steps}, 1)")
    back = lab.page.evaluate(f"() => press('ArrowLeft', {arguments.steps}, {arguments.steps}, -1)")
    for name, times in (("next", forward), ("back", back)):
        result[name] = f"{np.median(times):.0f} ms (p95 {np.percentile(times, 95):.0f})"
    result["30 fps"], result["60 fps"] = (f"{playback(lab, fps, 8):.1f}" for fps in (30, 60))
    if arguments.minutes:
        kernel = [psutil.Process(lab.ask("os.getpid()"))]
        before = resident(browser_processes()), resident(kernel)
        playback(lab, 30, arguments.minutes * 60)
        after = resident(browser_processes()), resident(kernel)
        result["grew"] = f"browser {after[0] - before[0]:.0f} MB, kernel {after[1] - before[1]:.0f} MB"
    lab.close()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["480x640", "1080x1920"], metavar="HxW")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=1.0, help="of playback, for the memory; 0 leaves it out")
    parser.add_argument("--ratio", type=float, default=1, help="device pixels for each CSS pixel")
    arguments = parser.parse_args()
    for nodelay in (False, True):
        with lab_page(nodelay, arguments.ratio) as (lab, _):
            for size in arguments.sizes:
                result = measure(lab, tuple(int(n) for n in size.split("x")), arguments)
                told = ", ".join(f"{k} {v}" for k, v in result.items())
                print(f"{size}, {'TCP_NODELAY' if nodelay else 'plain server'}: {told}", flush=True)


if __name__ == "__main__":
    main()
