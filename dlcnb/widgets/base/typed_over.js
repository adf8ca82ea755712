// A name that the program gave is there to be typed over: a field of the class `dlcnb-typed-over` is selected when it
// gets the focus, and beside a picture, `Enter` and `Escape` in it give that its keys back.
const TYPED_OVER = '.dlcnb-typed-over input';

function typeOver(e) {
  if (!e.target.matches(TYPED_OVER)) return;
  e.target.select();
  e.target.dlcnbBefore = e.target.value;
  e.target.addEventListener('mouseup', (up) => up.preventDefault(), { once: true }); // which would select nothing again
}

// Give the field that is typed over the keys once it shows what the kernel says, unless one does something else first.
function typeName(root, value, signal) {
  const field = root.querySelector(TYPED_OVER);
  const active = document.activeElement;
  if (!field || !root.contains(active) || active.matches('input, select, textarea')) return;
  const over = new AbortController();
  const look = () => {
    if (over.signal.aborted || signal.aborted) return;
    if (field.disabled || field.value !== value) requestAnimationFrame(look);
    else {
      over.abort();
      field.focus({ preventScroll: true });
    }
  };
  for (const name of ['pointerdown', 'keydown'])
    window.addEventListener(name, () => over.abort(), { capture: true, once: true, signal: over.signal });
  look();
}

// Enter in such a field gives the picture its keys back, and Escape, which forgets what was typed. Undo is the picture's
// until something is typed; true if it is to be done.
function leaveName(e, home) {
  const undoes = (e.ctrlKey || e.metaKey) && e.key === 'z' && e.target.value === e.target.dlcnbBefore;
  if (!(undoes || ['Enter', 'Escape'].includes(e.key)) || e.isComposing) return false;
  if (e.key === 'Escape') e.target.value = e.target.dlcnbBefore;
  home.focus({ preventScroll: true }); // the field tells then what was typed
  if (undoes) return true;
  e.preventDefault();
  e.stopImmediatePropagation();
  return false;
}

export { TYPED_OVER, leaveName, typeName, typeOver };
