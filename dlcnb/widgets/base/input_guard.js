// Pointer, wheel and keyboard for the canvases inside one widget. JupyterLab and Notebook 7 keep their hands off.
const SUPPRESS = 'data-lm-suppress-shortcuts';
const ONCE = 'dlcnb-once'; // buttons that go on to the next thing
const READ = 'dlcnb-read'; // buttons that do something else after a while
const GOES_ON = /Arrow|Page|^[-+=,.]$|^Ctrl\+[yz]$/i; // keys that move, zoom, undo

function initialize({ model }) {
  hear({ model });
  hearFrames(model);
}

// Fields that ipywidgets leaves without a name get one for screen readers: their hint, else the words before them.
const FIELDS = 'input:not([type=file]), select, textarea, [role=slider], [role=progressbar], progress';

function nameFields(root) {
  for (const one of root.querySelectorAll(FIELDS)) {
    const whole = one.closest('.jupyter-widgets');
    const written = one.labels?.[0]?.innerText || (one.getAttribute('aria-label') && !one.dlcnbNamed);
    if (written) continue;
    const hint = one.title || whole?.title || whole?.querySelector('label')?.title;
    const name = hint || whole?.querySelector('label')?.innerText || wordsBefore(one, root) || one.placeholder;
    const end = one.dataset.handle && whole.querySelectorAll('[role=slider]').length > 1;
    const said = end ? `${name}: ${one.dataset.handle === '0' ? 'from' : 'to'}` : name;
    if (said?.trim() && one.getAttribute('aria-label') !== said) one.setAttribute('aria-label', said);
    one.dlcnbNamed = true;
  }
  for (const one of root.querySelectorAll('img.widget-image:not([alt])')) one.alt = wordsBefore(one, root);
}

// Heads of what folds, which ipywidgets makes for the mouse alone: Tab reaches them, Enter and Space open and close them.
const HEADS = '.jupyter-widget-Collapse-header, .p-Collapse-header';

function pressableHeads(root) {
  for (const head of root.querySelectorAll(HEADS)) {
    const whole = head.parentElement;
    const open = whole.matches('.jupyter-widget-Collapse-open, .p-Collapse-open');
    if (head.getAttribute('aria-expanded') !== `${open}`) head.setAttribute('aria-expanded', `${open}`);
    if (head.getAttribute('role') === 'button') continue;
    head.setAttribute('role', 'button');
    head.tabIndex = 0;
    head.addEventListener('click', () => requestAnimationFrame(() => pressableHeads(root)));
    head.addEventListener('keydown', (e) => {
      if (![' ', 'Enter'].includes(e.key)) return;
      e.preventDefault(); // Space would scroll
      e.stopPropagation();
      head.click();
    });
  }
}

// Scroll to a part of a canvas, from a share of its height to another one, unless that is in sight.
function reveal(canvas, [from, to]) {
  const spot = document.createElement('div');
  spot.className = 'dlcnb-spot';
  spot.style.cssText = `position: absolute; width: 1px; left: ${canvas.offsetLeft}px;
    top: ${canvas.offsetTop + from * canvas.clientHeight}px; height: ${(to - from) * canvas.clientHeight}px`;
  canvas.offsetParent?.append(spot);
  spot.scrollIntoView({ block: 'nearest' });
  spot.remove();
}

// A click where the mouse rested while the words below it changed was meant for those before: the next one counts.
function readFirst(root, options) {
  let seen = '';
  let at = '';
  let mouse = [0, 0];
  const words = ({ target }) => target?.closest(`.${READ}`)?.textContent ?? '';
  const look = (e) => {
    seen = words(e);
  };
  const move = (e) => {
    const place = `${e.screenX} ${e.screenY}`;
    if (place !== at) look(e); // what moves below it is told, too
    at = place;
    mouse = [e.clientX, e.clientY];
  };
  const scrolled = () => look({ target: document.elementFromPoint(...mouse) }); // by somebody who sees what comes
  const press = (e) => {
    if (e.pointerType !== 'mouse') look(e);
  };
  const click = (e) => {
    if (e.detail && words(e) !== seen) e.stopImmediatePropagation();
    look(e);
  };
  root.addEventListener('pointermove', move, options);
  root.addEventListener('pointerdown', press, options);
  root.addEventListener('click', click, options);
  document.addEventListener('scroll', scrolled, options);
}

// Tabs, whose titles are short, say in tooltips what they are.
function nameTabs(root, captions) {
  for (const bar of ['lm', 'p'])
    root.querySelectorAll(`:scope > .widget-tab > .${bar}-TabBar .${bar}-TabBar-tab`).forEach((tab, n) => {
      if (captions[n] && tab.title !== captions[n]) tab.title = captions[n];
    });
}

function wordsBefore(one, root) {
  for (let at = one; at && at !== root; at = at.parentElement) {
    for (let before = at.previousElementSibling; before; before = before.previousElementSibling) {
      const words = before.innerText?.trim();
      if (words) return words.slice(0, 80);
    }
  }
  return '';
}

function render({ model, el }) {
  el.style.display = 'none';
  const abort = new AbortController();
  const send = (message) => {
    try {
      model.send(telling(model, message));
    } catch {
      // The kernel has ended or was restarted: what is on the page is a picture only.
      el.closest('.' + model.get('root_class'))?.classList.add('dlcnb-gone');
    }
  };

  // At most one move or wheel message per animation frame.
  let pending = null;
  let scheduled = 0;
  const flush = () => {
    cancelAnimationFrame(scheduled);
    scheduled = 0;
    if (pending) send(pending);
    pending = null;
  };
  const later = (message) => {
    if (pending && pending.type !== message.type) flush();
    if (pending && message.type === 'wheel') message.dy += pending.dy;
    if (pending && message.type === 'pinch') {
      message.dx += pending.dx;
      message.dy += pending.dy;
      message.factor *= pending.factor;
    }
    pending = message;
    if (!scheduled) scheduled = requestAnimationFrame(flush);
  };

  const position = (canvas, event, surface) => {
    const box = canvas.getBoundingClientRect();
    const unit = (model.get('widths')[surface] || canvas.width) / canvas.width;
    const style = getComputedStyle(canvas);
    const inner = (side) => parseFloat(style[`border${side}Width`]) + parseFloat(style[`padding${side}`]);
    const [left, right, top, bottom] = ['Left', 'Right', 'Top', 'Bottom'].map(inner);
    return {
      x: ((event.clientX - box.left - left) * canvas.width * unit) / (box.width - left - right),
      y: ((event.clientY - box.top - top) * canvas.height * unit) / (box.height - top - bottom),
    };
  };
  const modifiers = (e) => ({ shift: e.shiftKey, ctrl: e.ctrlKey, alt: e.altKey, meta: e.metaKey });

  function guardCanvas(canvas, surface, home) {
    const on = (name, handler, options = {}) =>
      canvas.addEventListener(name, handler, { signal: abort.signal, ...options });
    const message = (type, e) => ({ type, surface, ...position(canvas, e, surface), ...modifiers(e) });
    const fingers = new Map(); // pointer id -> its last event
    let pinch = null; // centre and span of two fingers, until both have left
    const grip = () => {
      const [a, b] = [...fingers.values()].map((e) => position(canvas, e, surface));
      return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, span: Math.max(Math.hypot(a.x - b.x, a.y - b.y), 1) };
    };
    canvas.style.touchAction = 'none';
    // Whether the keys go to a field or an editor elsewhere, which the pointer alone does not take them from.
    const typing = () => {
      const active = document.activeElement;
      return active !== home && (active?.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(active?.tagName));
    };
    on('pointerenter', () => {
      if (model.get('wakes') && !typing()) home.focus({ preventScroll: true });
    });
    canvas.setAttribute(SUPPRESS, 'true');
    if (surface > 0) canvas.tabIndex = -1; // one stop for the Tab key
    on('pointerdown', (e) => {
      const woke = typing();
      home.focus({ preventScroll: true });
      canvas.setPointerCapture(e.pointerId);
      if (pending?.type === 'move' && !pending.buttons) pending = null; // the press says where the pointer is
      flush();
      if (e.pointerType === 'touch') fingers.set(e.pointerId, e);
      if (fingers.size === 2) {
        if (!pinch) send(message('cancel', e)); // what the first finger began
        pinch = grip();
      }
      if (!pinch) send({ ...message('down', e), button: e.button, pointer: e.pointerType, woke });
    });
    on('pointermove', (e) => {
      if (fingers.has(e.pointerId)) fingers.set(e.pointerId, e);
      if (pinch) {
        if (fingers.size !== 2) return;
        const { x, y, span } = grip();
        later({ ...message('pinch', e), x, y, dx: x - pinch.x, dy: y - pinch.y, factor: span / pinch.span });
        pinch = { x, y, span };
      } else if (e.buttons || model.get('hover')) later({ ...message('move', e), buttons: e.buttons });
    });
    const lifted = (e) => {
      const pinching = pinch;
      fingers.delete(e.pointerId);
      if (!fingers.size) pinch = null;
      flush();
      return !pinching;
    };
    on('pointerup', (e) => {
      if (lifted(e)) send({ ...message('up', e), button: e.button });
    });
    on('pointercancel', (e) => {
      if (lifted(e)) send(message('cancel', e));
    });
    on('pointerleave', (e) => {
      if (!model.get('hover')) return;
      flush();
      send(message('leave', e));
    });
    on('dblclick', (e) => send({ ...message('double', e), button: e.button }));
    on('contextmenu', (e) => {
      e.preventDefault();
      e.stopPropagation();
    });
    on(
      'wheel',
      (e) => {
        e.stopImmediatePropagation(); // ipycanvas would swallow the scrolling of the page
        const plain = model.get('plain_wheel') && document.activeElement === home;
        if (!(plain || e.ctrlKey || e.metaKey || document.fullscreenElement)) return;
        e.preventDefault();
        later({ ...message('wheel', e), dy: e.deltaY * (e.deltaMode === 1 ? 16 : 1) });
      },
      { passive: false, capture: true },
    );
    // ipycanvas' own handlers (no button, no modifiers, one message per hover) stay silent.
    for (const name of ['mousemove', 'mouseup', 'mouseout', 'touchstart', 'touchmove', 'touchend', 'touchcancel'])
      on(name, (e) => e.stopImmediatePropagation(), { capture: true, passive: true });
    on(
      'mousedown',
      (e) => {
        e.preventDefault();
        e.stopImmediatePropagation();
      },
      { capture: true },
    );
  }

  function onKey(e, home) {
    const target = e.target;
    const typing = target.isContentEditable || ['TEXTAREA', 'SELECT'].includes(target.tagName);
    const textual = target.tagName === 'INPUT' && !['checkbox', 'radio', 'button'].includes(target.type);
    if (home.tagName === 'CANVAS' && target.matches(TYPED_OVER)) {
      if (!leaveName(e, home)) return;
    } else if (typing || textual || target.closest('.dlcnb-own-keys')) return;
    if ([' ', 'Enter'].includes(e.key) && target.matches('button, input, [role=button]')) {
      if (e.repeat) e.preventDefault(); // it presses what has the focus, once
      return;
    }
    const ctrl = e.ctrlKey || e.metaKey ? 'Ctrl+' : '';
    const letter = /^[a-z]$/i.test(e.key) ? (e.shiftKey ? e.key.toUpperCase() : e.key.toLowerCase()) : e.key; // whatever Caps Lock says
    const key = ctrl + (e.altKey ? 'Alt+' : '') + (e.shiftKey && e.key.length > 1 ? 'Shift+' : '') + letter;
    if (model.get('grab').includes(key)) {
      e.preventDefault();
      e.stopImmediatePropagation();
      if (e.repeat && !GOES_ON.test(key) && !model.get('repeating').includes(key)) return;
      send({ type: 'key', key });
      if (model.get('held').includes(key)) untilReleased(key, e.code);
    } else if (target === home) {
      if (e.key === ' ' && home.tagName === 'CANVAS') e.preventDefault(); // which would scroll the page
      e.stopImmediatePropagation(); // ipycanvas would swallow it, Tab too; Lab would act on the cell
    }
  }

  // Tell when a key is let go, or the page loses the keys before.
  function untilReleased(key, code) {
    const told = new AbortController();
    const tell = (e) => {
      if (e.type === 'keyup' && e.code !== code) return;
      told.abort();
      send({ type: 'release', key });
    };
    const options = { capture: true, signal: told.signal };
    window.addEventListener('keyup', tell, options);
    window.addEventListener('blur', tell, options);
  }

  // Tell how many device pixels the canvases have for each of their px, and when one has become empty.
  function watchSizes(all) {
    const canvases = all.slice(0, model.get('widths').length);
    if (!canvases.length) return;
    const ratioOf = (canvas, width) => {
      const box = canvas.getBoundingClientRect();
      const height = (canvas.height / canvas.width) * width;
      const needed = Math.max(box.width / width, box.height / height) * devicePixelRatio;
      return Math.min(Math.max(Math.ceil(4 * needed - 0.1) / 4, 1), 3);
    };
    const look = () => {
      const widths = model.get('widths');
      const shown = canvases[0].getBoundingClientRect().width;
      if (!shown) return;
      const ratios = canvases.map((canvas, n) => ratioOf(canvas, widths[n]));
      const share = Math.round((20 * shown) / widths[0]) / 20;
      if (String(ratios) === String(model.get('ratios')) && share === model.get('shown')) return;
      model.set({ ratios, shown: share });
      model.save_changes();
    };
    const size = new ResizeObserver(look);
    window.addEventListener('resize', look, { signal: abort.signal }); // the browser's own zoom
    model.on('change:widths', look);
    const emptied = new MutationObserver(() => send({ type: 'resized' }));
    for (const canvas of canvases) {
      size.observe(canvas);
      emptied.observe(canvas, { attributes: true, attributeFilter: ['width', 'height'] });
    }
    abort.signal.addEventListener('abort', () => {
      size.disconnect();
      emptied.disconnect();
      model.off('change:widths', look);
    });
    look();
  }

  // What a screen reader is told of the picture, and whether a button that stays pressed is.
  function describe(root, home) {
    if (model.get('label')) {
      home.setAttribute('role', 'application');
      home.setAttribute('aria-label', model.get('label'));
    }
    const tell = (button) => {
      const pressed = String(button.classList.contains('mod-active'));
      if (button.getAttribute('aria-pressed') !== pressed) button.setAttribute('aria-pressed', pressed);
    };
    const tellAll = () => root.querySelectorAll('.widget-toggle-button').forEach(tell);
    const observer = new MutationObserver(tellAll);
    observer.observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: ['class'] });
    abort.signal.addEventListener('abort', () => observer.disconnect());
    tellAll();
  }

  function fullScreen(root) {
    if (document.fullscreenElement === root) document.exitFullscreen();
    else if (root.contains(document.activeElement)) root.requestFullscreen?.().catch(() => {});
  }

  // What is open in a Studio is seen from its beginning.
  function toTop(root) {
    for (const pane of root.querySelectorAll('.widget-tab-contents > *, .dlcnb-pane')) pane.scrollTop = 0;
  }

  // How wide and high the widget may be, and whether the page is dark, for those that arrange and colour themselves.
  function measure(root) {
    if (!model.get('measured')) return;
    const picking = root.closest('.dlcnb-picking'); // a step of a Studio, in a pane that scrolls
    const pane = picking?.closest('.widget-tab-contents > *');
    const look = () => {
      const style = getComputedStyle(root);
      const room = Math.floor(root.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight));
      const top = pane && root.getBoundingClientRect().top - pane.getBoundingClientRect().top + pane.scrollTop;
      const below = pane ? Math.max(Math.floor(pane.clientHeight - top), 0) : 0;
      const dark = document.body.dataset.jpThemeLight === 'false';
      const seen = room > 0 ? { room, below, dark } : { dark }; // it has no width at all while a theme is loaded
      if (Object.entries(seen).every(([name, value]) => model.get(name) === value)) return;
      model.set(seen);
      model.save_changes();
    };
    const observer = new ResizeObserver(look);
    const theme = new MutationObserver(look);
    for (const one of [root, picking, pane]) if (one) observer.observe(one);
    theme.observe(document.body, { attributeFilter: ['data-jp-theme-light'] });
    abort.signal.addEventListener('abort', () => {
      observer.disconnect();
      theme.disconnect();
    });
  }

  // How high the pane is in which the widget is scrolled, in `--dlcnb-height`, for those that fill it. What lies above
  // the widget in its cell is left in sight where that is little.
  function fillPane(root) {
    if (root.parentElement?.closest('.dlcnb')) return;
    let pane = null;
    const find = () => {
      // Of all that scrolls it is what keeps its height while the widget grows: the output of a cell grows along.
      const scrolls = [];
      for (let at = root.parentElement; at && at !== document.body; at = at.parentElement)
        if (/auto|scroll/.test(getComputedStyle(at).overflowY)) scrolls.push([at, at.clientHeight]);
      const before = root.style.minHeight;
      root.style.minHeight = '30000px';
      pane = scrolls.find(([one, height]) => height && one.clientHeight === height)?.[0];
      root.style.minHeight = before;
      if (pane) size.observe(pane);
    };
    const measure = () => {
      if (!root.offsetHeight) return; // not on the page yet, or in a tab that is behind
      if (!pane?.contains(root)) find();
      if (!pane?.clientHeight) return;
      const cell = root.closest('.jp-Cell, .cell');
      const padding = cell ? parseFloat(getComputedStyle(cell).paddingTop) : 0;
      const whole = pane.clientHeight - (padding ? 2 * padding + 12 : 0); // 12 px: what is around the cells
      const above = cell ? root.getBoundingClientRect().top - cell.getBoundingClientRect().top - padding : 0;
      const height = above <= whole / 5 && whole - above >= 350 ? whole - above : whole;
      root.style.setProperty('--dlcnb-height', `${Math.floor(height)}px`);
      root.classList.toggle('dlcnb-short', height < 500);
      const flat = height < 500 && root.clientWidth >= 640 && !document.fullscreenElement;
      root.classList.toggle('dlcnb-flat', flat);
    };
    const size = new ResizeObserver(measure);
    size.observe(root);
    document.addEventListener('fullscreenchange', measure, { signal: abort.signal });
    abort.signal.addEventListener('abort', () => size.disconnect());
  }

  // The outermost widget names what is in it, whenever something comes to it.
  function keepNames(root) {
    if (root.parentElement?.closest('.dlcnb')) return;
    let due = 0;
    const soon = () => {
      due ||= requestAnimationFrame(() => {
        due = 0;
        nameFields(root);
        pressableHeads(root);
        nameTabs(root, model.get('captions'));
      });
    };
    model.on('change:captions', soon);
    const observer = new MutationObserver(soon);
    observer.observe(root, { childList: true, subtree: true, attributeFilter: ['title'] });
    abort.signal.addEventListener('abort', () => {
      observer.disconnect();
      model.off('change:captions', soon);
    });
    soon();
  }

  function attach() {
    const root = el.closest('.' + model.get('root_class'));
    const wanted = model.get('surfaces'); // further canvases belong to the guards of widgets inside this one
    const canvases = root ? [...root.querySelectorAll('canvas')].slice(0, wanted) : [];
    if (!root || canvases.length < wanted) return false;
    const home = canvases[0] || root;
    if (canvases.length) root.style.setProperty('--dlcnb-shape', home.width / home.height);
    measure(root);
    fillPane(root);
    keepNames(root);
    const options = { capture: true, signal: abort.signal };
    root.setAttribute(SUPPRESS, 'true');
    // A click beside everything that takes the focus (on a plot, say) gives it to the widget, not to the notebook's cell.
    if (!root.hasAttribute('tabindex')) root.tabIndex = -1;
    // Notebook 7 looks at the focused element itself, in the capture phase.
    root.addEventListener('focusin', (e) => e.target.setAttribute(SUPPRESS, 'true'), options);
    // A name that is there to be typed over is selected when it is clicked.
    root.addEventListener('focusin', typeOver, options);
    watchMenus(root, home, send, abort.signal);
    root.addEventListener('keydown', (e) => onKey(e, home), options);
    // Of a double click only the first press counts where it brings what has not been seen yet.
    const again = (e) => {
      if (e.detail > 1 && e.target.closest(`.${ONCE}`)) e.stopImmediatePropagation();
    };
    root.addEventListener('click', again, options);
    readFirst(root, options);
    describe(root, home);
    watchSizes(canvases);
    if (model.get('painter')) keepPainting(model);
    composeOnce(model);
    const told = (message) => {
      if (message.type === 'blur' && document.activeElement === home) home.blur();
      if (message.type === 'fullscreen') fullScreen(root);
      if (message.type === 'top') toTop(root);
      if (message.type === 'name') typeName(root, message.value, abort.signal);
      if (message.type === 'reveal') reveal(home, message.part ?? [0, 1]);
      if (message.type === 'focus' && home.offsetParent) home.focus({ preventScroll: true });
    };
    model.on('msg:custom', told);
    abort.signal.addEventListener('abort', () => model.off('msg:custom', told));
    // After a click (not a key press) on a button or a slider the keys work on the picture again.
    const back = (e) => {
      const picture = canvases[0] || root.querySelector('canvas');
      if (picture && e.detail && e.target.closest('button') && !e.dlcnbHandled) picture.focus({ preventScroll: true });
      e.dlcnbHandled = true; // by the innermost widget
    };
    root.addEventListener('click', back, { signal: abort.signal });
    if (canvases.length) {
      root.addEventListener(
        'pointerdown',
        (e) => {
          if (!e.target.closest('.noUi-target')) return;
          const done = () => setTimeout(() => home.focus({ preventScroll: true }));
          window.addEventListener('pointerup', done, { once: true, signal: abort.signal });
        },
        options,
      );
    }
    canvases.forEach((canvas, surface) => {
      guardCanvas(canvas, surface, home);
    });
    model.set('attached', model.get('attached') + 1);
    model.save_changes();
    return true;
  }

  if (!attach()) {
    const observer = new MutationObserver(() => {
      if (attach()) observer.disconnect();
    });
    observer.observe(document.body, { childList: true, subtree: true });
    abort.signal.addEventListener('abort', () => observer.disconnect());
  }
  return () => abort.abort();
}

export default { initialize, render };
