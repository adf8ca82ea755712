"""What all widgets are made of: views, canvases, input, tasks."""
