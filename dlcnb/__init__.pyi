from .backend import Predictor, evaluate_run, predict_video, train, write_score_maps
from .checkup import doctor
from .evaluate import Evaluation, human_variability, over_splits
from .jobs.analysis import cluster
from .labels import Labels, LabelStore
from .poses import MultiAnimalPoses, Poses
from .project import Project, Skeleton
from .trainset import TrainConfig, TrainSet
from .video import VideoReader, VideoWriter
from .widgets import (
    ClassBoard,
    EvaluationView,
    FrameMap,
    FramePicker,
    Labeler,
    LabelReview,
    OutlierQueue,
    Player,
    SchemaEditor,
    Studio,
    TrainingMonitor,
    TrajectoryView,
    VariabilityView,
    ZoneEditor,
)

__all__ = [
    "ClassBoard",
    "Evaluation",
    "EvaluationView",
    "FrameMap",
    "FramePicker",
    "LabelReview",
    "LabelStore",
    "Labeler",
    "Labels",
    "MultiAnimalPoses",
    "OutlierQueue",
    "Player",
    "Poses",
    "Predictor",
    "Project",
    "SchemaEditor",
    "Skeleton",
    "Studio",
    "TrainConfig",
    "TrainSet",
    "TrainingMonitor",
    "TrajectoryView",
    "VariabilityView",
    "VideoReader",
    "VideoWriter",
    "ZoneEditor",
    "cluster",
    "doctor",
    "evaluate_run",
    "human_variability",
    "over_splits",
    "predict_video",
    "train",
    "write_score_maps",
]

__version__: str
