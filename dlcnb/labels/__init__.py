"""Labels: reading, writing, merging and checking DeepLabCut's tables of labeled frames."""

from dlcnb.labels.checks import check_tables, doctor
from dlcnb.labels.core import Labels, frame_index, image_name
from dlcnb.labels.errors import LabelError
from dlcnb.labels.h5 import read_h5_table

__all__ = ["LabelError", "Labels", "check_tables", "doctor", "frame_index", "image_name", "read_h5_table"]
