"""The face of dlcnb in a notebook: views that own no data, over state that knows no view."""

from importlib import import_module

_HOME = {
    "EvaluationView": "evaluation_view",
    "FrameMap": "frame_map",
    "FramePicker": "frame_picker",
    "LabelReview": "label_review",
    "Labeler": "labeler",
    "OutlierQueue": "outlier_queue",
    "Player": "player",
    "SchemaEditor": "schema_editor",
    "Studio": "studio",
    "TrainingMonitor": "training_monitor",
    "TrajectoryView": "trajectory_view",
    "VariabilityView": "variability",
}

__all__ = sorted(_HOME)


def __getattr__(name):
    """Import a widget from its module on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'dlcnb.widgets' has no attribute {name!r}")
    value = getattr(import_module(f"dlcnb.widgets.{_HOME[name]}"), name)
    globals()[name] = value
    return value
