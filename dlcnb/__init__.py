"""DeepLabCut in the notebook: frames, labels, training, trajectories as Jupyter widgets, on MXNet.

Names are imported on first use (PEP 562), so ``import dlcnb`` is quick and never loads MXNet.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "Project": "project",
    "Skeleton": "project",
    "doctor": "labels",
    "VideoReader": "video",
    "VideoWriter": "video",
    "Labels": "labels",
    "LabelStore": "labels",
    "Poses": "poses",
    "MultiAnimalPoses": "poses",
    "TrainSet": "trainset",
    "TrainConfig": "trainset",
    "Evaluation": "evaluate",
    "over_splits": "evaluate",
    "human_variability": "evaluate",
    "train": "backend",
    "Predictor": "backend",
    "predict_video": "backend",
    "evaluate_run": "backend",
    "write_score_maps": "backend",
    "EvaluationView": "widgets",
    "FrameMap": "widgets",
    "FramePicker": "widgets",
    "LabelReview": "widgets",
    "Labeler": "widgets",
    "OutlierQueue": "widgets",
    "Player": "widgets",
    "SchemaEditor": "widgets",
    "Studio": "widgets",
    "TrainingMonitor": "widgets",
    "TrajectoryView": "widgets",
    "VariabilityView": "widgets",
}

__all__ = sorted(_HOME)


def __getattr__(name):
    """Import a public name from its module on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'dlcnb' has no attribute {name!r}")
    value = getattr(import_module(f"dlcnb.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_HOME})
