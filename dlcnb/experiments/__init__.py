"""Experiments of the paper as commands: many trainings that differ in one thing, one table, one figure.

``plan`` says what is to be trained, ``run`` trains and evaluates it in worker processes (what is done stays done, so it
may be interrupted and called again), ``results`` is the tidy table, ``curves`` the one over the training steps.
"""

from dlcnb.experiments.curves import curves, disk_mb, losses
from dlcnb.experiments.plan import KINDS, Plan, Trial, begun, networks, plan
from dlcnb.experiments.results import results, write_results
from dlcnb.experiments.run import Progress, run

__all__ = [
    "KINDS",
    "Plan",
    "Progress",
    "Trial",
    "begun",
    "curves",
    "disk_mb",
    "losses",
    "networks",
    "plan",
    "results",
    "run",
    "write_results",
]
