"""A class: what its students hand in, and the board that everybody's work comes together on."""

from dlcnb.teaching.board import HUMAN_PX, Board, Standing
from dlcnb.teaching.hand_in import SUFFIX, ClassError, HandIn, gather

__all__ = ["HUMAN_PX", "SUFFIX", "Board", "ClassError", "HandIn", "Standing", "gather"]
