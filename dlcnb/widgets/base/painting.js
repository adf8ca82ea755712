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

export { keepPainting, painted };
