// Menus: a button of the class `dlcnb-menu-NAME` opens the panel of the same class; the kernel shows and hides it.
// A press anywhere else tells `dismiss` and, but on a control, does nothing else; Escape inside tells that key, and the
// keyboard focus goes in and comes back.
const GAP = 12; // px before a panel that stands beside a picture
const LEAST = 212; // px that it needs there
const CONTROLS = 'button, a, input, select, textarea, label, [role=option], [role=tab], [contenteditable=true]';
const DRAGGED = ['pointermove', 'pointerup', 'pointercancel', 'mousemove', 'touchstart', 'touchmove', 'touchend'];
const CLICKED = ['mousedown', 'mouseup', 'click', 'dblclick', 'contextmenu'];

// Let nothing on the page hear of the rest of a press: its moves until it is let go, and its click, which comes later.
function spend(press, signal) {
  if (press.dlcnbSpent) return; // by the widget around this one
  press.dlcnbSpent = true;
  press.stopPropagation(); // other menus on the page are still told
  const held = new AbortController();
  const spent = new AbortController();
  const all = { capture: true, passive: false };
  const drop = (e) => {
    if (e.detail === 0 && e.type === 'click') return; // by a key
    e.stopImmediatePropagation();
    if (e.cancelable) e.preventDefault();
    if (['pointerup', 'pointercancel'].includes(e.type) && e.pointerId === press.pointerId) held.abort();
  };
  for (const name of DRAGGED) window.addEventListener(name, drop, { ...all, signal: held.signal });
  for (const name of CLICKED) window.addEventListener(name, drop, { ...all, signal: spent.signal });
  const end = () => {
    held.abort();
    spent.abort();
  };
  const next = (e) => {
    if (!e.isPrimary && !held.signal.aborted) drop(e); // a second finger
    else end();
  };
  window.addEventListener('pointerdown', next, { ...all, signal: spent.signal });
  signal.addEventListener('abort', end);
}

function watchMenus(root, home, send, signal) {
  const nameOf = (one) => [...one.classList].find((name) => name.startsWith('dlcnb-menu-'));
  const buttonOf = (panel) => root.querySelector(`button.${nameOf(panel)}`);
  const isOpen = (panel) => panel.offsetParent !== null;
  const panels = () => [...root.querySelectorAll('.dlcnb-panel')];
  // It lies over a picture; behind what stands beside that, where there is room. A narrow one lies above its
  // button, or over the picture where that stands beside it.
  const place = (panel) => {
    const around = panel.parentElement.getBoundingClientRect();
    if (panel.classList.contains('dlcnb-narrow')) {
      const opener = buttonOf(panel).getBoundingClientRect();
      const most = (opener.top < around.bottom ? around : root.getBoundingClientRect()).right - panel.offsetWidth;
      const left = Math.min(opener.left, most) - around.left;
      panel.style.setProperty('--dlcnb-left', `${Math.max(left, 0)}px`);
      return;
    }
    const columns = panel.closest('.dlcnb-columns')?.getBoundingClientRect();
    const side = columns && panel.closest('.dlcnb-columns').querySelector('.dlcnb-side')?.getBoundingClientRect();
    if (!side) return;
    const free = columns.right - side.right - GAP;
    panel.classList.toggle('dlcnb-outside', free >= LEAST);
    panel.style.setProperty('--dlcnb-free', `${free}px`);
    panel.style.setProperty('--dlcnb-left', `${side.right + GAP - around.left}px`);
  };
  const showMore = (panel) =>
    panel.classList.toggle('dlcnb-more-below', panel.scrollHeight - panel.scrollTop - panel.clientHeight > 8);
  root.addEventListener(
    'scroll',
    ({ target }) => {
      if (target.classList?.contains('dlcnb-panel')) showMore(target);
    },
    { capture: true, signal },
  );
  const follow = (panel) => {
    const opener = buttonOf(panel);
    const open = isOpen(panel);
    if (!opener || String(open) === opener.getAttribute('aria-expanded')) return;
    opener.setAttribute('aria-expanded', String(open));
    if (open) {
      place(panel);
      showMore(panel);
    }
    const active = document.activeElement;
    if (open && active === opener) panel.querySelector('button, input, [tabindex="0"]')?.focus({ preventScroll: true });
    if (!open && panel.contains(active)) (panel.dlcnbByKey ? opener : home).focus({ preventScroll: true });
    panel.dlcnbByKey = open && active === opener;
  };
  const tell = new MutationObserver((changes) => {
    for (const { target } of changes) if (target.classList.contains('dlcnb-panel')) follow(target);
  });
  tell.observe(root, { subtree: true, attributes: true, attributeFilter: ['style', 'class'] });
  signal.addEventListener('abort', () => tell.disconnect());
  panels().forEach(follow);
  const pressed = (e) => {
    // A menu that is opened closes the others itself: JupyterLab may deliver `dismiss` after the button's own message.
    if (panels().some((panel) => buttonOf(panel)?.contains(e.target))) return;
    if (!panels().some((panel) => isOpen(panel) && !panel.contains(e.target))) return;
    send({ type: 'dismiss' });
    if (root.contains(e.target) && !e.target.closest(CONTROLS)) spend(e, signal);
  };
  document.addEventListener('pointerdown', pressed, { capture: true, signal });
  window.addEventListener('resize', () => panels().filter(isOpen).forEach((panel) => (place(panel), showMore(panel))), { signal });
  const escaped = (e) => {
    if (e.key !== 'Escape' || !panels().some((panel) => panel.contains(e.target))) return;
    e.preventDefault();
    e.stopImmediatePropagation();
    send({ type: 'key', key: 'Escape' });
  };
  root.addEventListener('keydown', escaped, { capture: true, signal });
}

export { watchMenus };
