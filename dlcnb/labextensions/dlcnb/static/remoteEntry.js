// dlcnb Studio in a JupyterLab tab of its own: a card in the launcher, a command, "Open with dlcnb" in the file browser.
// JupyterLab loads this file as it is (there is no build step): a container of module federation, written by hand.
(() => {
  const MARK = 'dlcnb-studio-'; // begins the name of a console that is a Studio
  const PROJECT = /^config\.ya?ml$/i;
  const VIDEO =
    /\.(mp4|avi|mov|mkv|m4v|webm|mpe?g|m2ts|mts|wmv|flv|f4v|mjpe?g|3gp|qt|ogv|mxf|dv|dav)$/i; // not .ts, TypeScript's
  const CARD = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path class="jp-icon3" fill="none"
    stroke="#616161" stroke-width="1.6" d="M4 17 9 8l6 4 5-6"/><g class="jp-icon-brand0" fill="#1976d2">
    <circle cx="4" cy="17" r="2.6"/><circle cx="9" cy="8" r="2.6"/><circle cx="15" cy="12" r="2.6"/>
    <circle cx="20" cy="6" r="2.6"/></g></svg>`;
  const LOOKS = `
    .dlcnb-tab .jp-CodeConsole { padding: 0; }
    .dlcnb-tab .jp-CodeConsole-input, .dlcnb-tab .jp-CodeConsole-banner,
    .dlcnb-tab .jp-Cell-inputWrapper, .dlcnb-tab .jp-OutputPrompt, .dlcnb-tab .jp-OutputArea-promptOverlay,
    .dlcnb-tab .jp-Collapser, .dlcnb-tab .jp-CodeConsole .lm-SplitPanel-handle { display: none !important; }
    .dlcnb-tab .jp-CodeConsole-content, .dlcnb-tab .jp-Cell, .dlcnb-tab .jp-Cell-outputWrapper, .dlcnb-tab .jp-Cell-outputArea,
    .dlcnb-tab .jp-OutputArea-output { padding: 0 !important; margin: 0 !important; border: 0 !important; }
    .dlcnb-tab .jp-CodeConsole-content { position: absolute !important; inset: 0 !important;
      width: auto !important; height: auto !important; overflow: auto; }
    .dlcnb-tab .jp-OutputArea-output { overflow: visible; }`;

  let scope;
  const shared = async (name) => {
    const versions = Object.values(scope[name] ?? {});
    const found = versions.find((one) => one.loaded) ?? versions[0];
    return found ? (await found.get())() : {};
  };

  // Python's literal of a text is JSON's, but for what lies outside of ASCII, which is escaped to be sure.
  const literal = (text) =>
    JSON.stringify(text).replace(/[\u007f-\uffff]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
  const code = (target) => `
try:
    from dlcnb.widgets.studio.tab import in_tab
except ModuleNotFoundError as error:
    print(f"{error}: this kernel's Python has no dlcnb. Install it there (pip install dlcnb), then open Studio again.")
else:
    display(in_tab(${target ? literal(target) + ".encode('utf-16', 'surrogatepass').decode('utf-16')" : ''}))`;

  function activate(app, icons, consoles, launcher, palette, files) {
    const { commands, serviceManager: services } = app;
    if (!consoles || !commands.hasCommand('console:create')) return; // an app without a main area, such as Notebook
    const style = document.head.appendChild(document.createElement('style'));
    style.textContent = LOOKS;
    const icon = new icons.LabIcon({ name: 'dlcnb:studio', svgstr: CARD });
    const targets = new Map(); // path of a console -> what it was opened on

    // A console whose cells show nothing but their output: it has a kernel and no file, and comes back with the page.
    const dress = async (panel) => {
      const context = panel.sessionContext;
      const path = context.path;
      if (!path.split('/').pop().startsWith(MARK)) return;
      panel.addClass('dlcnb-tab');
      panel.title.icon = icon;
      panel.toolbar?.hide();
      const inside = panel.console.node;
      // A console takes Enter for its prompt, which is hidden here: fields and buttons would never get the key.
      const free = () => inside.removeEventListener('keydown', panel.console, true);
      panel.node.addEventListener('keydown', free, true);
      const starting = document.createElement('div');
      starting.setAttribute('role', 'status');
      starting.textContent = 'Starting dlcnb Studio …'; // a kernel and its imports take up to a minute on a small machine
      starting.style.cssText =
        'position: absolute; inset: 40% 0 auto 0; text-align: center; color: var(--jp-ui-font-color1)';
      panel.node.append(starting);
      await context.ready;
      const id = context.session?.id;
      panel.disposed.connect(() => {
        targets.delete(path);
        if (id) services.sessions.shutdown(id).catch(() => {});
      });
      await panel.console.inject(code(targets.get(path))).finally(() => starting.remove());
    };
    consoles.widgetAdded.connect((_, panel) => void dress(panel));
    consoles.forEach((panel) => void dress(panel));

    // Where a path is opened from: the folder is the kernel's, so that the name alone leads there.
    const studio = async (target, folder) => {
      await services.ready;
      const specs = services.kernelspecs.specs;
      const python = Object.values(specs?.kernelspecs ?? {}).find((one) => one.language === 'python');
      const own = specs?.kernelspecs[specs.default];
      const path = [folder, `${MARK}${crypto.getRandomValues(new Uint32Array(2)).join('-')}`].filter(Boolean).join('/');
      targets.set(path, target);
      return commands.execute('console:create', {
        path,
        name: 'dlcnb Studio',
        activate: true,
        kernelPreference: { name: (own?.language === 'python' ? own : python)?.name ?? 'python3', autoStartDefault: true },
      });
    };

    const browser = () => files?.tracker.currentWidget;
    const chosen = () => [...(browser()?.selectedItems() ?? [])].find((item) => item.type !== 'directory');
    const place = (path) => services.contents.localPath(path ?? '');
    commands.addCommand('dlcnb:studio', {
      label: (args) => (args.isPalette ? 'Open dlcnb Studio' : 'dlcnb Studio'),
      caption: 'Videos, labels, network and trajectories in one tab',
      icon: (args) => (args.isPalette ? undefined : icon),
      execute: (args) => studio(args.target, place(args.cwd ?? browser()?.model.path)),
    });
    commands.addCommand('dlcnb:open', {
      label: 'Open with dlcnb',
      icon,
      isVisible: () => PROJECT.test(chosen()?.name ?? '') || VIDEO.test(chosen()?.name ?? ''),
      execute: () => {
        const item = chosen();
        return item && studio(item.name, place(item.path).split('/').slice(0, -1).join('/'));
      },
    });
    app.contextMenu.addItem({
      command: 'dlcnb:open',
      selector: '.jp-DirListing-item[data-isdir="false"]',
      rank: 1.5,
    });
    launcher?.add({
      command: 'dlcnb:studio',
      category: 'Notebook',
      rank: 0.5, // beside the default kernel's
      kernelIconUrl: `data:image/svg+xml;base64,${btoa(CARD)}`,
    });
    palette?.addItem({ command: 'dlcnb:studio', category: 'dlcnb', args: { isPalette: true } });

    const url = new URL(window.location.href); // …/lab?dlcnb=PATH, as `dlcnb studio` opens it
    if (url.searchParams.has('dlcnb')) {
      const target = url.searchParams.get('dlcnb');
      url.searchParams.delete('dlcnb'); // at once: JupyterLab keeps what it finds
      window.history.replaceState(window.history.state, '', url);
      app.restored.then(() => studio(target, ''));
    }
  }

  async function extension() {
    const [{ IConsoleTracker }, { ILauncher }, { ICommandPalette }, { IFileBrowserFactory }, icons] = await Promise.all(
      ['console', 'launcher', 'apputils', 'filebrowser', 'ui-components'].map((name) => shared(`@jupyterlab/${name}`)),
    );
    const optional = [IConsoleTracker, ILauncher, ICommandPalette, IFileBrowserFactory];
    const plugin = {
      id: 'dlcnb:studio',
      description: 'Opens dlcnb Studio in a tab of its own.',
      autoStart: true,
      optional: optional.filter(Boolean),
      activate: (app, ...found) =>
        activate(app, icons, ...optional.map((token) => (token ? found.shift() : null))),
    };
    return { __esModule: true, default: plugin };
  }

  window._JUPYTERLAB = window._JUPYTERLAB ?? {};
  window._JUPYTERLAB.dlcnb = {
    init: (given) => {
      scope = given;
    },
    get: async () => {
      const made = await extension();
      return () => made;
    },
  };
})();
