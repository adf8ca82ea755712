// The kernel asks "has it arrived?" after each frame, so that it never has more than a few on their way. Where it can
// wait, the next gesture tells it on its way: each message makes JupyterLab load two icons of its tab.
const arrivals = new WeakMap(); // by the layout of a guard, which is its own: what is not told yet, and if that is urgent

function arrival(model) {
  const guard = model.get('layout');
  if (!arrivals.has(guard)) arrivals.set(guard, { frame: null, urgent: false });
  return arrivals.get(guard);
}

function hearFrames(model) {
  model.on('msg:custom', ({ type, id, wait }) => {
    if (type === 'waiting') {
      arrival(model).urgent = !arrival(model).frame;
      tell(model);
    }
    if (type !== 'frame') return;
    const arrive = () => {
      arrival(model).frame = { id, at: performance.now() };
      if (wait && !arrival(model).urgent) setTimeout(() => tell(model), wait);
      else tell(model);
    };
    painted(model).then(() => (wait ? arrive() : onceSeen(arrive)));
  });
}

function onceSeen(call) {
  let called = false;
  const once = () => {
    if (!called) call();
    called = true;
  };
  requestAnimationFrame(once);
  setTimeout(once, 100); // a hidden tab has no animation frames
}

function tell(model) {
  if (arrival(model).frame) model.send(telling(model, { type: 'ack' }));
}

// A message, with what has arrived and is not told yet.
function telling(model, message) {
  const { frame } = arrival(model);
  if (!frame) return message;
  arrivals.delete(model.get('layout'));
  return { ...message, arrived: frame.id, ago: (performance.now() - frame.at) / 1000 };
}

export { hearFrames, telling };
