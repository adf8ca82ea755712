"""Errors of a network, frame by frame."""
