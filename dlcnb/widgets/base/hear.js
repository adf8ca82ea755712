// anywidget gives a page 2 s to start a widget. To one that took longer, on a slow or busy computer, it passes on nothing
// that the kernel says from then on, without a word. This notices it, and asks the kernel for what was missed.
function hear({ model }) {
  model.on('change:_heard', (whole) => {
    const nothing = { content: { data: { method: 'nothing' } } };
    Promise.resolve(whole._handle_comm_msg(nothing)).catch(() => {
      const parent = Object.getPrototypeOf(Object.getPrototypeOf(whole)); // ipywidgets' own, which waits for nobody
      whole.comm.on_msg((message) => parent._handle_comm_msg.call(whole, message));
      whole.comm.send({ method: 'request_state' }, whole.callbacks());
    });
  });
  model.set('_heard', true); // of this page alone; its event has the whole model, of which anywidget shows a part
}

export { hear };
