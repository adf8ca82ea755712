// Clicks, drags, wheel and keys on the bqplot figures inside one widget, told as shares of the plot's area.
const SUPPRESS = 'data-lm-suppress-shortcuts';
const PLOT = '.dlcnb-plot';
const GOES_ON = /Arrow|Page|^[-+]$/; // keys that move and zoom; of others a press is one deed, however long
const LEAST = 5; // px that a drag is long
const PATIENCE = 5000; // ms in which what is scrolled to may grow

function render({ model, el }) {
  el.style.display = 'none';
  const abort = new AbortController();
  const signal = abort.signal;
  const send = (message) => {
    try {
      model.send(message);
    } catch {
      el.closest('.' + model.get('root_class'))?.classList.add('dlcnb-gone');
    }
  };

  // Where in a figure's area an event is: shares of its width and height, counted from the upper left corner.
  const place = (figure, e) => {
    const area = figure.querySelector('.plotarea_events')?.getBoundingClientRect();
    if (!area?.width || !area.height) return null;
    const x = (e.clientX - area.left) / area.width;
    const y = (e.clientY - area.top) / area.height;
    return { x, y, width: area.width, height: area.height, area };
  };
  const inside = (at) => at && at.x > -0.02 && at.x < 1.02 && at.y > -0.05 && at.y < 1.05;
  const name = (figure) => [...figure.classList].find((c) => c.startsWith('dlcnb-plot-'))?.slice(11);
  const told = ({ x, y, width, height }) => ({ x, y, width, height });

  let drag = null;
  const over = (area, from, to) => {
    if (!drag.shade) {
      drag.shade = document.createElement('div');
      drag.shade.className = 'dlcnb-shade';
      document.body.append(drag.shade);
    }
    const [low, high] = [from, to].sort((a, b) => a - b).map((x) => Math.min(Math.max(x, 0), 1) * area.width);
    Object.assign(drag.shade.style, {
      left: `${area.left + low}px`,
      width: `${high - low}px`,
      top: `${area.top}px`,
      height: `${area.height}px`,
    });
  };
  const ended = () => {
    drag?.shade?.remove();
    drag = null;
  };

  let wheel = null;
  const flush = () => {
    if (wheel) send(wheel);
    wheel = null;
  };

  // Scroll to what was asked for, again when it grows as its parts arrive, until the user does something or it is late.
  // The pane of a Studio that was scrolled so is left; it begins at its top when it is opened again.
  function reveal(root) {
    const target = model.get('reveal') && root.querySelector('.' + model.get('reveal'));
    if (!target) return;
    queueMicrotask(() => { // what is changed back within the news of a change is not sent
      model.set('reveal', '');
      model.save_changes();
    });
    const pane = target.closest('.dlcnb-pane');
    let going = true;
    let left = false;
    const seen = new ResizeObserver(() => {
      if (!target.offsetParent) {
        left ||= Boolean(pane?.closest('.dlcnb-studio').offsetParent); // and not all of the Studio
      } else if (left) {
        seen.disconnect();
        pane.scrollTop = 0;
      } else if (going) {
        // its head at last, which is what is seen of one that is too high
        for (const part of [target, target.firstElementChild]) part?.scrollIntoView({ block: 'nearest' });
      }
    });
    const ended = () => {
      going = false;
      if (!pane) seen.disconnect();
    };
    seen.observe(target);
    for (const kind of ['wheel', 'pointerdown', 'keydown'])
      window.addEventListener(kind, ended, { capture: true, once: true, signal });
    setTimeout(ended, PATIENCE);
    signal.addEventListener('abort', () => seen.disconnect());
  }

  function attach() {
    const root = el.closest('.' + model.get('root_class'));
    if (!root) return false;
    const on = (target, kind, handler, options = {}) => target.addEventListener(kind, handler, { signal, ...options });
    on(root, 'pointerdown', (e) => {
      const figure = e.target.closest(PLOT);
      const at = figure && e.button === 0 && !e.target.closest('button') ? place(figure, e) : null;
      if (!inside(at)) return;
      e.preventDefault();
      figure.tabIndex = 0;
      figure.setAttribute(SUPPRESS, 'true');
      figure.focus({ preventScroll: true });
      drag = { figure, at, x: e.clientX, y: e.clientY, brush: figure.classList.contains('dlcnb-plot-over-time') };
    });
    on(window, 'pointermove', (e) => {
      if (!drag?.brush || (!drag.shade && Math.abs(e.clientX - drag.x) < LEAST)) return;
      over(drag.at.area, drag.at.x, place(drag.figure, e).x);
    });
    on(window, 'pointerup', (e) => {
      if (!drag) return;
      const { figure, at, shade, x, y } = drag;
      if (shade) send({ type: 'brush', plot: name(figure), from: at.x, to: place(figure, e).x });
      else if (Math.hypot(e.clientX - x, e.clientY - y) < LEAST)
        send({ type: 'click', plot: name(figure), ...told(at) });
      ended();
    });
    on(window, 'pointercancel', ended);
    on(root, 'dblclick', (e) => {
      const figure = e.target.closest(PLOT);
      if (figure && inside(place(figure, e))) send({ type: 'double', plot: name(figure) });
    });
    on(
      root,
      'wheel',
      (e) => {
        const figure = e.target.closest('.dlcnb-plot-over-time');
        if (!figure || !(e.ctrlKey || e.metaKey)) return; // the page scrolls
        e.preventDefault();
        const dy = e.deltaY * (e.deltaMode === 1 ? 16 : 1) + (wheel ? wheel.dy : 0);
        if (!wheel) setTimeout(flush, 60);
        wheel = { type: 'wheel', plot: name(figure), ...told(place(figure, e)), dy };
      },
      { passive: false },
    );
    on(
      root,
      'keydown',
      (e) => {
        if (e.key === 'Escape' && drag) ended();
        const figure = e.target.closest(PLOT);
        if (!figure || e.ctrlKey || e.metaKey || e.altKey || e.key === 'Tab') return;
        e.stopPropagation();
        const key = (e.shiftKey && e.key.length > 1 ? 'Shift+' : '') + e.key;
        if (!model.get('grab').includes(key)) return;
        e.preventDefault();
        if (e.repeat && !GOES_ON.test(key)) return;
        send({ type: 'key', key, plot: name(figure) });
      },
      { capture: true },
    );
    model.set('attached', model.get('attached') + 1);
    model.save_changes();
    const asked = () => reveal(root);
    model.on('change:reveal', asked);
    signal.addEventListener('abort', () => model.off('change:reveal', asked));
    asked();
    return true;
  }

  if (!attach()) {
    const observer = new MutationObserver(() => {
      if (attach()) observer.disconnect();
    });
    observer.observe(document.body, { childList: true, subtree: true });
    signal.addEventListener('abort', () => observer.disconnect());
  }
  return () => {
    ended();
    abort.abort();
  };
}

export default { initialize: hear, render };
