// Files from the user's computer, in pieces that a kernel's connection carries, one after the other's receipt.
const PIECE = 1 << 20;

function render({ model, el }) {
  const label = document.createElement('label');
  label.className = 'dlcnb-upload';
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.accept = model.get('accept');
  const text = document.createElement('span');
  label.append(text, input);
  const bar = document.createElement('progress');
  bar.max = 1;
  bar.setAttribute('aria-label', 'Upload');
  const stop = document.createElement('button');
  stop.className = 'jupyter-button';
  stop.textContent = 'Stop';
  el.append(label, bar, stop);

  let current = null; // the file under way, and how much of it has arrived
  const waiting = [];
  const show = () => {
    text.textContent = current ? `Uploading ${current.file.name}` : model.get('label');
    bar.hidden = stop.hidden = !current;
    input.disabled = Boolean(current);
    if (current) bar.value = current.file.size ? current.at / current.file.size : 1;
  };
  const next = () => {
    const file = waiting.shift();
    current = file ? { file, at: 0, id: `${Date.now()}-${Math.random()}` } : null;
    if (current) model.send({ type: 'begin', id: current.id, name: file.name, size: file.size });
    show();
  };
  const send = async (mine) => {
    const piece = await mine.file.slice(mine.at, mine.at + PIECE).arrayBuffer();
    if (mine === current) model.send({ type: 'piece', id: mine.id, at: mine.at }, undefined, [piece]);
  };
  const told = (message) => {
    if (!current || message.id !== current.id) return;
    if (message.type === 'go') {
      current.at = message.at;
      show();
      if (current.at < current.file.size) {
        send(current).catch((error) => {
          model.send({ type: 'failed', id: current.id, why: String(error) });
        });
      } else model.send({ type: 'end', id: current.id });
    } else {
      if (message.type === 'stop') waiting.length = 0;
      next();
    }
  };
  input.addEventListener('change', () => {
    waiting.push(...input.files);
    input.value = '';
    if (!current) next();
  });
  stop.addEventListener('click', () => {
    if (current) model.send({ type: 'stop', id: current.id });
  });
  model.on('msg:custom', told);
  show();
  return () => model.off('msg:custom', told);
}

export default { render };
