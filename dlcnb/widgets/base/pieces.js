// Files to the kernel, in pieces that its connection carries, one after the other's receipt.
const PIECE = 1 << 20;

// `show(file, share)` is called with what is under way, or with null; returns { send(files), stop(), off() }.
function sender(model, show) {
  let current = null; // the file under way, and how much of it has arrived
  const waiting = [];
  const shown = () => show(current?.file ?? null, current?.file.size ? current.at / current.file.size : 1);
  const next = () => {
    const file = waiting.shift();
    current = file ? { file, at: 0, id: `${Date.now()}-${Math.random()}` } : null;
    if (current) model.send({ type: 'begin', id: current.id, name: file.name, size: file.size });
    shown();
  };
  const piece = async (mine) => {
    const data = await mine.file.slice(mine.at, mine.at + PIECE).arrayBuffer();
    if (mine === current) model.send({ type: 'piece', id: mine.id, at: mine.at }, undefined, [data]);
  };
  const told = (message) => {
    if (!current || message.id !== current.id) return;
    if (message.type === 'go') {
      current.at = message.at;
      shown();
      if (current.at < current.file.size) {
        piece(current).catch((error) => {
          model.send({ type: 'failed', id: current.id, why: String(error) });
        });
      } else model.send({ type: 'end', id: current.id });
    } else {
      if (message.type === 'stop') waiting.length = 0;
      next();
    }
  };
  model.on('msg:custom', told);
  return {
    send: (files) => {
      waiting.push(...files);
      if (!current) next();
    },
    stop: () => {
      if (current) model.send({ type: 'stop', id: current.id });
    },
    off: () => model.off('msg:custom', told),
  };
}

export { sender };
