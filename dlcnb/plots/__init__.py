"""The figures that show whether tracking went well, as functions of data, on matplotlib without pyplot.

Every function takes ``ax=None`` (draw on these axes, or on a new figure) and returns ``(fig, ax)``;
where there are two axes, ``ax`` is an array of them. Nothing here is
kept in pyplot's global state, so figures are freed with their last reference and threads don't disturb each other.
"""

from dlcnb.plots.embedding import crops, embed, embedding, spread
from dlcnb.plots.evaluation import calibration, differences, pck, save_evaluation
from dlcnb.plots.experiments import comparison, experiment, learning_curve, parts
from dlcnb.plots.figure import save
from dlcnb.plots.frames import pose_on, score_map_on
from dlcnb.plots.movement import bones, postures, skeletons, speed
from dlcnb.plots.people import against_human, agreement
from dlcnb.plots.poses import coordinates, histogram, likelihood, save_all, trajectory
from dlcnb.plots.steps import curves, loss
from dlcnb.plots.training import errors, training
from dlcnb.plots.zones import ethogram, occupancy

__all__ = [
    "against_human",
    "agreement",
    "bones",
    "calibration",
    "comparison",
    "coordinates",
    "crops",
    "curves",
    "differences",
    "embed",
    "embedding",
    "errors",
    "ethogram",
    "experiment",
    "histogram",
    "learning_curve",
    "likelihood",
    "loss",
    "occupancy",
    "parts",
    "pck",
    "pose_on",
    "postures",
    "save",
    "save_all",
    "save_evaluation",
    "score_map_on",
    "skeletons",
    "speed",
    "spread",
    "training",
    "trajectory",
]
