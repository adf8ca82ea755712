from .evaluation.view import EvaluationView
from .frames.frame_picker import FramePicker
from .labeler.labeler import Labeler
from .map.frame_map import FrameMap
from .player.player import Player
from .refine.outlier_queue import OutlierQueue
from .review.label_review import LabelReview
from .review.variability import VariabilityView
from .schema.schema_editor import SchemaEditor
from .studio.studio import Studio
from .teaching.class_board import ClassBoard
from .training.monitor import TrainingMonitor
from .trajectories.view import TrajectoryView
from .zones.editor import ZoneEditor

__all__ = [
    "ClassBoard",
    "EvaluationView",
    "FrameMap",
    "FramePicker",
    "LabelReview",
    "Labeler",
    "OutlierQueue",
    "Player",
    "SchemaEditor",
    "Studio",
    "TrainingMonitor",
    "TrajectoryView",
    "VariabilityView",
    "ZoneEditor",
]
