"""Labels: reading, writing, merging and checking DeepLabCut's tables of labeled frames, and editing them safely."""

from dlcnb.labels.checks import check_tables, doctor
from dlcnb.labels.core import Labels, frame_index, image_name
from dlcnb.labels.current import current_labels
from dlcnb.labels.errors import LabelError
from dlcnb.labels.h5 import read_h5_table
from dlcnb.labels.journal import Edit
from dlcnb.labels.store import Conflict, LabelStore

__all__ = [
    "Conflict",
    "Edit",
    "LabelError",
    "LabelStore",
    "Labels",
    "check_tables",
    "current_labels",
    "doctor",
    "frame_index",
    "image_name",
    "read_h5_table",
]
