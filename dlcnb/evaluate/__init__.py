"""How far predictions lie from labels: errors, summaries, intervals, PCK, presence, a verdict, files."""

from dlcnb.evaluate.calibration import Calibration, calibrate
from dlcnb.evaluate.caution import network_caution
from dlcnb.evaluate.core import Evaluation
from dlcnb.evaluate.curves import PckCurve, pck_curve
from dlcnb.evaluate.details import details, details_text, human_px, keypoint_table, pick, write_details
from dlcnb.evaluate.earlier import Before, Worse, before, judging_evaluations, worse
from dlcnb.evaluate.human import doubtful_labels, human_variability
from dlcnb.evaluate.likelihood import CalibratedLikelihood, fit_likelihood
from dlcnb.evaluate.maps import ScoreMaps, ScoreMapWriter, maps_path
from dlcnb.evaluate.presence import Presence, presence
from dlcnb.evaluate.splits import SplitSummary, error_rows, over_splits, summarize_splits
from dlcnb.evaluate.summary import ErrorSummary, bootstrap_ci, errors, summarize
from dlcnb.evaluate.taken import Taken
from dlcnb.evaluate.verdict import Verdict, pck5, trained_shortly, verdict
from dlcnb.geometry import animal_px

__all__ = [
    "Before",
    "CalibratedLikelihood",
    "Calibration",
    "ErrorSummary",
    "Evaluation",
    "PckCurve",
    "Presence",
    "ScoreMapWriter",
    "ScoreMaps",
    "SplitSummary",
    "Taken",
    "Verdict",
    "Worse",
    "animal_px",
    "before",
    "bootstrap_ci",
    "calibrate",
    "details",
    "details_text",
    "doubtful_labels",
    "error_rows",
    "errors",
    "fit_likelihood",
    "human_px",
    "human_variability",
    "judging_evaluations",
    "keypoint_table",
    "maps_path",
    "network_caution",
    "over_splits",
    "pck5",
    "pck_curve",
    "pick",
    "presence",
    "summarize",
    "summarize_splits",
    "trained_shortly",
    "verdict",
    "worse",
    "write_details",
]
