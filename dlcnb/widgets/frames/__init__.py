"""Frames worth labeling, picked by hand or chosen."""
