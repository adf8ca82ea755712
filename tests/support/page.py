"""What a browser test asks of any widget on a page: does everything fit, can everybody use it."""

from contextlib import contextmanager, suppress

from playwright.sync_api import TimeoutError

LATE = "[anywidget] Failed to initialize model."  # it says so on a busy page; widgets/base/hear.js makes up for it

FIT = """(root) => {
    const top = document.querySelector(root), wrong = [];
    if (!top) return [`there is no ${root}`];
    const NAMES = 'button, input, select, textarea, canvas:not(.bqplot canvas), progress, a[href], [role=tab], '
        + '.lm-TabBar-tab, .widget-html-content';
    const seen = (one) => {
        const box = one.getBoundingClientRect();
        if (!box.width || !box.height) return false;
        for (let at = one; at && at !== document.body; at = at.parentElement) {
            const css = getComputedStyle(at);
            if (css.visibility === 'hidden' || css.display === 'none' || css.opacity === '0') return false;
        }
        return true;
    };
    const name = (one) => `${one.tagName.toLowerCase()} "${(one.innerText || one.title || one.placeholder
        || one.getAttribute('aria-label') || one.className || '').trim().slice(0, 50)}"`;
    const controls = [...top.querySelectorAll(NAMES)].filter(seen);
    const clips = (value) => value !== 'visible';
    for (const one of controls) {
        const box = one.getBoundingClientRect();
        let scrolls = false; // what lies below can be scrolled to
        for (let pane = one.parentElement; pane && top.contains(pane); pane = pane.parentElement) {
            const css = getComputedStyle(pane), outer = pane.getBoundingClientRect();
            if (clips(css.overflowX) && !one.closest('.dlcnb-wide')
                && (box.right > outer.right + 1.5 || box.left < outer.left - 1.5)) {
                wrong.push(`${name(one)} sticks out sideways: ${box.left.toFixed()}-${box.right.toFixed()} of `
                    + `${outer.left.toFixed()}-${outer.right.toFixed()} in ${pane.className.slice(-60)}`);
                break;
            }
            scrolls = scrolls || ['auto', 'scroll'].includes(css.overflowY);
            if (!scrolls && clips(css.overflowY) && (box.bottom > outer.bottom + 2 || box.top < outer.top - 2)) {
                wrong.push(`${name(one)} is cut off: ${box.top.toFixed()}-${box.bottom.toFixed()} of `
                    + `${outer.top.toFixed()}-${outer.bottom.toFixed()} in ${pane.className.slice(-60)}`);
                break;
            }
        }
        if (one.tagName === 'BUTTON' && one.scrollWidth > one.clientWidth + 1)
            wrong.push(`${name(one)} has no room for its text`);
    }
    const visible = (one) => { // the part of its box that no pane cuts off
        const { left, right, top: above, bottom } = one.getBoundingClientRect();
        const box = { left, right, top: above, bottom };
        for (let pane = one.parentElement; pane && top.contains(pane); pane = pane.parentElement) {
            const css = getComputedStyle(pane), outer = pane.getBoundingClientRect();
            if (clips(css.overflowX)) {
                box.left = Math.max(box.left, outer.left);
                box.right = Math.min(box.right, outer.right);
            }
            if (clips(css.overflowY)) {
                box.top = Math.max(box.top, outer.top);
                box.bottom = Math.min(box.bottom, outer.bottom);
            }
        }
        return box;
    };
    const pressed = controls.filter((one) => ['BUTTON', 'INPUT', 'SELECT'].includes(one.tagName));
    for (const [n, one] of pressed.entries()) {
        const a = visible(one);
        for (const other of pressed.slice(n + 1)) {
            const b = visible(other);
            const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
            const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
            if (wide > 3 && high > 3 && !one.contains(other) && !other.contains(one))
                wrong.push(`${name(one)} lies over ${name(other)}`);
        }
    }
    return wrong;
}"""
COVERED = """([root, over]) => { // the buttons under a part of the page that has something in it
    const lid = [...document.querySelectorAll(over)].find((one) => one.offsetHeight).getBoundingClientRect();
    return [...document.querySelectorAll(`${root} button`)].filter((one) => one.offsetWidth).filter((one) => {
        const box = one.getBoundingClientRect();
        return Math.min(box.right, lid.right) - Math.max(box.left, lid.left) > 1
            && Math.min(box.bottom, lid.bottom) - Math.max(box.top, lid.top) > 1;
    }).map((one) => one.innerText || one.title);
}"""
SIZES = ((1280, 800), (800, 900), (853, 533))  # of a window; the last: 1280 x 800 at 150 %
GRAVE = ("serious", "critical")
PRESSABLE = """(root) => { // each control, and whether it can be pressed where the page is scrolled to now
    const CONTROLS = ':is(button, input, select):not(.dlcnb-entry)'; // the entries of a list have a wheel of their own
    const all = [...document.querySelectorAll(`${root} ${CONTROLS}`)].filter((one) => one.offsetWidth);
    const now = all.map((one) => {
        const { left, right, top, bottom } = one.getBoundingClientRect(), inset = 3;
        return [top + inset, (top + bottom) / 2, bottom - inset].every((y) => {
            const hit = document.elementFromPoint((left + right) / 2, y);
            return one.contains(hit) || (hit?.contains(one) && hit.matches('label, .dlcnb-upload'));
        });
    });
    return all.map((one, n) => [one.innerText || one.placeholder || one.title || one.value || one.className, now[n]]);
}"""
UNSEEN = """([root, parts]) => {
    const top = document.querySelector(root), wrong = [];
    (top.closest('.jp-Cell') ?? top).scrollIntoView({ block: 'start' });
    for (const part of parts) {
        const all = [...top.querySelectorAll(part)].filter((one) => one.offsetWidth);
        if (!all.length) wrong.push(`there is no ${part}`);
        for (const one of all) {
            const box = one.getBoundingClientRect();
            for (let pane = one.parentElement; pane !== document.body; pane = pane.parentElement) {
                const outer = pane.getBoundingClientRect(), clips = getComputedStyle(pane).overflowY !== 'visible';
                if (clips && (box.top < outer.top - 1 || box.bottom > outer.bottom + 1))
                    wrong.push(`${part} "${one.innerText}" is not seen: ${box.top.toFixed()}-${box.bottom.toFixed()}`
                        + ` of ${outer.top.toFixed()}-${outer.bottom.toFixed()} in ${pane.className.slice(-60)}`);
            }
        }
    }
    return wrong;
}"""
CONTRAST = """(root) => {
    const wrong = [];
    const parts = (color) => color.match(/[\\d.]+/g).map(Number);
    const over = ([r, g, b, a = 1], below) => [r, g, b].map((value, n) => a * value + (1 - a) * below[n]);
    const ground = (one) => {
        const colors = [];
        for (let at = one; at; at = at.parentElement) colors.unshift(parts(getComputedStyle(at).backgroundColor));
        return colors.reduce((below, color) => over(color, below), [255, 255, 255]);
    };
    const light = (color) => {
        const [r, g, b] = color.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    for (const one of document.querySelectorAll(`${root} :is(button, select, input):disabled`)) {
        if (!one.offsetWidth) continue;
        const css = getComputedStyle(one), below = ground(one.parentElement), opacity = Number(css.opacity);
        const seen = (color) => color.map((value, n) => opacity * value + (1 - opacity) * below[n]);
        const [words, behind] = [over(parts(css.color), ground(one)), ground(one)].map(seen).map(light);
        const ratio = (Math.max(words, behind) + 0.05) / (Math.min(words, behind) + 0.05);
        if (ratio < 3) wrong.push(`${(one.innerText || one.value || one.title).trim()}: ${ratio.toFixed(1)} to 1`);
    }
    return wrong;
}"""
LABELING = (".dlcnb-labeler canvas", ".dlcnb-actions button", ".dlcnb-bottom", ".dlcnb-overview button")  # in Studio


def misfits(page, root=".dlcnb"):
    """What does not fit on a page, a line each: controls that stick out of their pane, are cut off or overlap.

    Parameters
    ----------
    page : playwright.sync_api.Page
    root : str
        CSS selector of the widget to look at. Parts that scroll may be longer than their pane, but not wider.
    """
    return page.evaluate(FIT, root)


def settle(page, root=".dlcnb"):
    """Wait until everything fits, as a page that was made wider or narrower is not arranged at once; what does not."""
    with suppress(TimeoutError):
        page.wait_for_function(f"root => ({FIT})(root).length === 0", arg=root, timeout=10_000)
    return misfits(page, root)


def unseen(page, root, parts=LABELING):
    """What can't be seen without scrolling, a line each, when a widget's cell begins at the top of its pane."""
    with suppress(TimeoutError):
        page.wait_for_function(f"all => ({UNSEEN})(all).length === 0", arg=[root, parts], timeout=10_000)
    return page.evaluate(UNSEEN, [root, parts])


def unreachable(page, root, at):
    """The controls that can't be pressed wherever one turns the wheel to, by name.

    Parameters
    ----------
    page : playwright.sync_api.Page
    root : str
        CSS selector of what has the controls.
    at : str
        CSS selector of where the mouse is.
    """
    page.locator(at).hover()
    reached = set()
    for turn in (2000, *[-40] * 15):  # and back, to the top
        page.mouse.wheel(0, turn)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        controls = page.evaluate(PRESSABLE, root)
        reached |= {number for number, (_, now) in enumerate(controls) if now}
    return [name for number, (name, _) in enumerate(controls) if number not in reached]


def covered(page, root, over):
    """The buttons of ``root`` that lie under what ``over`` shows (both CSS selectors), by name."""
    return page.evaluate(COVERED, [root, over])


def faint(page, root=".dlcnb"):
    """What can't be used now and is hard to read, a line each: words of less than 3 : 1 on their ground."""
    return page.evaluate(CONTRAST, root)


def barriers(page, root=".dlcnb"):
    """What axe-core finds to be serious or critical in a widget, a line each."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context=root, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for one in found
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]


@contextmanager
def faultless(page):
    """What is done meanwhile throws nothing on the page, and leaves no error in its console."""
    errors = []

    def note(text):
        if LATE not in text:
            errors.append(text)

    notes = {
        "pageerror": lambda error: note(str(error)),
        "console": lambda message: note(message.text) if message.type == "error" else None,
    }
    for event, heard in notes.items():
        page.on(event, heard)
    try:
        yield
    finally:
        for event, heard in notes.items():
            page.remove_listener(event, heard)
    assert not errors
