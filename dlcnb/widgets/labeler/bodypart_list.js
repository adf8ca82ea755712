// The list of bodyparts: stable elements, so that the keyboard focus stays where it is.
const STATES = { placed: '✓', 'not visible': '⊘', open: '', suggested: '○' };

function render({ model, el }) {
  const list = document.createElement('div');
  list.className = 'dlcnb-bodyparts';
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', 'Bodyparts');
  list.tabIndex = 0;
  el.appendChild(list);

  const build = () => {
    list.replaceChildren(
      ...model.get('names').map((name, index) => {
        const row = document.createElement('div');
        row.setAttribute('role', 'option');
        row.id = `${model.model_id || 'dlcnb'}-${index}`;
        const swatch = document.createElement('i');
        swatch.style.background = model.get('colors')[index];
        swatch.dataset.shape = index % 4;
        const text = document.createElement('span');
        text.className = 'dlcnb-bodypart-name';
        text.textContent = text.title = name;
        const state = document.createElement('span');
        state.className = 'dlcnb-bodypart-state';
        const digit = document.createElement('kbd');
        digit.textContent = index + 1;
        if (index < 9) digit.title = 'Key';
        row.append(digit, swatch, text, state);
        row.addEventListener('click', () => model.send({ type: 'choose', index }));
        return row;
      }),
    );
    show();
  };

  const show = () => {
    const states = model.get('states');
    const current = model.get('current');
    [...list.children].forEach((row, index) => {
      const state = states[index] || 'open';
      row.dataset.state = state;
      row.lastChild.textContent = STATES[state];
      row.lastChild.title = state;
      row.setAttribute('aria-label', `${model.get('names')[index]}, ${state}`);
      row.setAttribute('aria-selected', String(index === current));
    });
    const chosen = list.children[current];
    if (!chosen) return;
    list.setAttribute('aria-activedescendant', chosen.id);
    const above = chosen.offsetTop - list.scrollTop;
    if (above < 0) list.scrollTop = chosen.offsetTop;
    const below = above + chosen.offsetHeight - list.clientHeight;
    if (below > 0) list.scrollTop += below;
  };

  model.on('change:names', build);
  model.on('change:colors', build);
  model.on('change:states', show);
  model.on('change:current', show);
  build();
  return () => {
    model.off('change:names', build);
    model.off('change:colors', build);
    model.off('change:states', show);
    model.off('change:current', show);
  };
}

export default { initialize: hear, render };
