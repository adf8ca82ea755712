"""Frames that the network got wrong, on their way to the labeler."""
