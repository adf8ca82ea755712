// ipycanvas draws one message after the other, and after one that failed never again: as when a canvas was closed while
// a picture for it was on its way. Then only that picture is lost.
async function keepPainting(model) {
  const painter = await model.widget_manager.get_model(model.get('painter'));
  if (painter.dlcnbKept || !painter.onCommand || !painter.currentProcessing) return; // or another ipycanvas than we know
  painter.dlcnbKept = true;
  const paint = painter.onCommand;
  painter.onCommand = (...message) => paint.apply(painter, message).catch(() => {});
  painter.currentProcessing = painter.currentProcessing.catch(() => {});
}

// Until all is painted that has arrived by now.
async function painted(model) {
  try {
    const painter = model.get('painter') && (await model.widget_manager.get_model(model.get('painter')));
    await painter?.currentProcessing;
  } catch {} // it is closed, or what it painted on
}

// ipycanvas lays the layers of a canvas over each other anew after each layer that a message changes: here once, after
// the last.
async function composeOnce(model) {
  for (const id of model.get('canvases')) {
    const canvas = await model.widget_manager.get_model(id);
    if (canvas.dlcnbOnce || !canvas.updateCanvas) continue;
    canvas.dlcnbOnce = true;
    let due = false;
    const compose = () => {
      due = false;
      canvas.updateCanvas();
    };
    const soon = () => {
      if (!due) queueMicrotask(compose);
      due = true;
    };
    for (const layer of canvas.get('_canvases')) {
      layer.off('new-frame', canvas.updateCanvas, canvas);
      layer.on('new-frame', soon);
    }
  }
}

export { composeOnce, keepPainting, painted };
