// Files of the user's computer; pieces.js, which sends them, and hear.js stand above.
function render({ model, el }) {
  const label = document.createElement('label');
  label.className = 'jupyter-button dlcnb-upload';
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.accept = model.get('accept');
  const icon = document.createElement('i');
  icon.className = 'fa fa-upload';
  const text = document.createElement('span');
  label.append(icon, text, input); // which lies over all of it, unseen, as it says "No file chosen" of files that were sent
  const bar = document.createElement('progress');
  bar.max = 1;
  bar.setAttribute('aria-label', 'Upload');
  const stop = document.createElement('button');
  stop.className = 'jupyter-button';
  stop.textContent = 'Stop';
  el.append(label, bar, stop);

  const show = (file, share) => {
    text.textContent = file ? `Uploading ${file.name}` : model.get('label');
    bar.hidden = stop.hidden = !file;
    input.disabled = Boolean(file);
    if (file) bar.value = share;
  };
  const sending = sender(model, show);
  input.addEventListener('change', () => {
    const files = [...input.files];
    input.value = '';
    sending.send(files);
  });
  stop.addEventListener('click', () => sending.stop());
  show(null, 0);
  return () => sending.off();
}

export default { initialize: hear, render };
