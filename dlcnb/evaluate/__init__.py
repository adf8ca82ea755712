"""How far predictions lie from labels: errors in pixels, summaries, confidence intervals, PCK, calibration, files."""

from dlcnb.evaluate.calibration import Calibration, calibrate
from dlcnb.evaluate.core import Evaluation
from dlcnb.evaluate.curves import PckCurve, pck_curve
from dlcnb.evaluate.details import details, details_text, keypoint_table, pick, write_details
from dlcnb.evaluate.human import human_variability
from dlcnb.evaluate.maps import ScoreMaps, ScoreMapWriter, maps_path
from dlcnb.evaluate.splits import SplitSummary, over_splits, summarize_splits
from dlcnb.evaluate.summary import ErrorSummary, bootstrap_ci, errors, summarize

__all__ = [
    "Calibration",
    "ErrorSummary",
    "Evaluation",
    "PckCurve",
    "ScoreMapWriter",
    "ScoreMaps",
    "SplitSummary",
    "bootstrap_ci",
    "calibrate",
    "details",
    "details_text",
    "errors",
    "human_variability",
    "keypoint_table",
    "maps_path",
    "over_splits",
    "pck_curve",
    "pick",
    "summarize",
    "summarize_splits",
    "write_details",
]
