// The camera of the computer where the browser is: preview, countdown, a clip; pieces.js, which sends it, stands above.
const FORMATS = ['video/mp4;codecs=avc1.42E01F', 'video/webm;codecs=vp9', 'video/webm;codecs=vp8', 'video/webm', 'video/mp4'];
const ASKED = { audio: false, video: { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } } };
const BITS = 3_000_000; // a second
const COUNTDOWN = 3; // s
const UPLOAD = 'or record with a phone, and upload the clip.';

// Why there is no picture, and what to do: one line.
function reason(error) {
  const name = error?.name ?? '';
  if (!window.isSecureContext)
    return `A browser gives its camera only to pages of https or localhost; this one is ${location.protocol.slice(0, -1)}. Open it by https, ${UPLOAD}`;
  if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder)
    return `This browser can't record. Take a current Chrome, Edge, Firefox or Safari, ${UPLOAD}`;
  const policy = document.permissionsPolicy ?? document.featurePolicy;
  if (policy?.allowsFeature && !policy.allowsFeature('camera'))
    return `This page doesn't let a notebook's output use the camera. Open the notebook in JupyterLab, ${UPLOAD}`;
  if (name === 'NotAllowedError' || name === 'SecurityError')
    return `The browser was not allowed to use the camera. Allow it with the icon beside the address and press again, ${UPLOAD}`;
  if (name === 'NotFoundError' || name === 'OverconstrainedError')
    return `No camera found. Connect one and press again, ${UPLOAD}`;
  if (name === 'NotReadableError' || name === 'AbortError')
    return `The camera is in use elsewhere. Close the program that has it and press again, ${UPLOAD}`;
  return `The camera gave no picture (${name || error}). Press again, ${UPLOAD}`;
}

function stamp() {
  const two = (n) => String(n).padStart(2, '0');
  const now = new Date();
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  return `clip-${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}

function render({ model, el }) {
  const make = (tag, className, parent, text = '') => {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text;
    parent.append(made);
    return made;
  };
  const root = make('div', 'dlcnb-camera', el);
  const screen = make('div', 'dlcnb-camera-screen', root);
  const video = make('video', '', screen);
  video.muted = video.autoplay = video.playsInline = true;
  video.setAttribute('aria-label', 'Picture of the camera');
  const number = make('div', 'dlcnb-camera-count', screen);
  const controls = make('div', 'dlcnb-row', root);
  const main = make('button', 'jupyter-button mod-primary', controls);
  const length = make('label', 'dlcnb-camera-length', controls, 'Seconds ');
  const seconds = make('input', '', length);
  Object.assign(seconds, { type: 'number', min: 5, max: 60, value: model.get('seconds') });
  const line = make('span', 'dlcnb-muted', controls);
  line.setAttribute('role', 'status');

  let state = 'off'; // off, asking, on, counting, recording, sending
  let stream = null;
  let recorder = null;
  let timer = 0;
  const WORDS = { off: 'Turn the camera on', asking: 'Waiting for the camera', on: 'Record', counting: 'Cancel', recording: 'Stop', sending: 'Saving' };
  const go = (next, text = '') => {
    state = next;
    main.textContent = WORDS[next];
    main.disabled = next === 'asking' || next === 'sending';
    seconds.disabled = next !== 'off' && next !== 'on';
    screen.hidden = next === 'off' || next === 'asking';
    number.textContent = '';
    root.dataset.state = next;
    line.textContent = text;
  };
  const off = () => {
    clearInterval(timer);
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = video.srcObject = null;
  };
  const fail = (error) => {
    off();
    go('off', reason(error));
  };
  const turnOn = async () => {
    go('asking', 'The browser may ask you: allow the camera.');
    try {
      if (!window.MediaRecorder) throw new Error('no recorder');
      const got = await navigator.mediaDevices.getUserMedia(ASKED);
      if (!root.isConnected) {
        for (const track of got.getTracks()) track.stop();
        return;
      }
      stream = video.srcObject = got;
      got.getVideoTracks()[0].addEventListener('ended', () => {
        if (state !== 'recording' && state !== 'sending') fail(new DOMException('gone', 'NotFoundError'));
      });
      go('on', 'Nothing is recorded before you press Record.');
    } catch (error) {
      fail(error);
    }
  };
  const record = () => {
    const mimeType = FORMATS.find((one) => MediaRecorder.isTypeSupported(one));
    const limit = Number(seconds.value) * 1000;
    const parts = [];
    let bytes = 0;
    try {
      recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: BITS });
      recorder.start(1000);
    } catch (error) {
      fail(error);
      return;
    }
    const began = performance.now();
    recorder.addEventListener('dataavailable', ({ data }) => {
      parts.push(data);
      bytes += data.size;
    });
    recorder.addEventListener('stop', () => {
      clearInterval(timer);
      const suffix = recorder.mimeType.includes('mp4') ? 'mp4' : 'webm';
      off();
      go('sending');
      sending.send([new File(parts, `${stamp()}.${suffix}`, { type: recorder.mimeType })]);
    });
    go('recording');
    timer = setInterval(() => {
      const left = limit - (performance.now() - began);
      line.textContent = `${Math.max(0, Math.ceil(left / 1000))} s left, ${(bytes / 1e6).toFixed(1)} MB`;
      if (left <= 0 && recorder.state === 'recording') recorder.stop();
    }, 200);
  };
  const count = () => {
    let left = COUNTDOWN;
    go('counting', 'Get ready.');
    number.textContent = left;
    timer = setInterval(() => {
      left -= 1;
      number.textContent = left || '';
      if (left) return;
      clearInterval(timer);
      record();
    }, 1000);
  };
  const show = (file, share) => {
    if (file) line.textContent = `Saving ${file.name}: ${(100 * share).toFixed()} % of ${(file.size / 1e6).toFixed(1)} MB`;
    else if (state === 'sending') go('off');
  };
  const sending = sender(model, show);
  main.addEventListener('click', () => {
    if (state === 'off') turnOn();
    else if (state === 'on') count();
    else if (state === 'counting') {
      clearInterval(timer);
      go('on');
    } else if (state === 'recording' && recorder.state === 'recording') recorder.stop();
  });
  seconds.addEventListener('change', () => {
    seconds.value = Math.min(60, Math.max(5, Math.round(Number(seconds.value)) || 20));
    model.set('seconds', Number(seconds.value));
    model.save_changes();
  });
  go('off');
  return () => {
    off();
    sending.off();
  };
}

export default { initialize: hear, render };
