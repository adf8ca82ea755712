"""The face of dlcnb in a notebook: views that own no data, over state that knows no view."""

from importlib import import_module

_HOME = {
    "EvaluationView": "evaluation.view",
    "FrameMap": "map.frame_map",
    "FramePicker": "frames.frame_picker",
    "LabelReview": "review.label_review",
    "Labeler": "labeler.labeler",
    "OutlierQueue": "refine.outlier_queue",
    "Player": "player.player",
    "SchemaEditor": "schema.schema_editor",
    "Studio": "studio.studio",
    "TrainingMonitor": "training.monitor",
    "TrajectoryView": "trajectories.view",
    "VariabilityView": "review.variability",
}

__all__ = sorted(_HOME)


def __getattr__(name):
    """Import a widget from its module on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'dlcnb.widgets' has no attribute {name!r}")
    value = getattr(import_module(f"dlcnb.widgets.{_HOME[name]}"), name)
    globals()[name] = value
    return value
