"""Labels: reading, writing and checking DeepLabCut's tables of labeled frames, editing them safely, comparing them."""

from dlcnb.labels.checks import check_tables, doctor
from dlcnb.labels.compare import Spread, Variability, compare_scorers, scorers, variability
from dlcnb.labels.core import Labels, frame_index, image_name
from dlcnb.labels.current import current_labels, labeled_images
from dlcnb.labels.errors import LabelError
from dlcnb.labels.faults import Fault
from dlcnb.labels.following import follow, follow_both, follow_video, patch_width
from dlcnb.labels.images import frame_images, image_problem, image_size, read_image
from dlcnb.labels.journal import Edit
from dlcnb.labels.store import Conflict, LabelStore
from dlcnb.labels.suggestions import FOLLOWED, Suggestions
from dlcnb.labels.suspicion import Suspicion, rank_labels, rank_project
from dlcnb.tables.h5 import read_h5_table

__all__ = [
    "FOLLOWED",
    "Conflict",
    "Edit",
    "Fault",
    "LabelError",
    "LabelStore",
    "Labels",
    "Spread",
    "Suggestions",
    "Suspicion",
    "Variability",
    "check_tables",
    "compare_scorers",
    "current_labels",
    "doctor",
    "follow",
    "follow_both",
    "follow_video",
    "frame_images",
    "frame_index",
    "image_name",
    "image_problem",
    "image_size",
    "labeled_images",
    "patch_width",
    "rank_labels",
    "rank_project",
    "read_h5_table",
    "read_image",
    "scorers",
    "variability",
]
