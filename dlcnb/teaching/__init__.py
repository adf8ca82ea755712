"""A class: its lesson and exercises, what students hand in, and the board that everybody's work comes together on."""

from dlcnb.teaching.board import HUMAN_PX, Board, Standing
from dlcnb.teaching.exercises import EXERCISES, Exercise, Verdict, check, learning_curve, odd_labels, sure_points
from dlcnb.teaching.hand_in import SUFFIX, ClassError, HandIn, gather
from dlcnb.teaching.lesson import Lesson
from dlcnb.teaching.notebook import write_notebook
from dlcnb.teaching.pictures import show_odd_labels, show_sure_points
from dlcnb.teaching.stages import fill_labels, start_analysis, start_training

__all__ = [
    "EXERCISES",
    "HUMAN_PX",
    "SUFFIX",
    "Board",
    "ClassError",
    "Exercise",
    "HandIn",
    "Lesson",
    "Standing",
    "Verdict",
    "check",
    "fill_labels",
    "gather",
    "learning_curve",
    "odd_labels",
    "show_odd_labels",
    "show_sure_points",
    "start_analysis",
    "start_training",
    "sure_points",
    "write_notebook",
]
