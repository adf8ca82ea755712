"""A training by several workers: the one that leads, and those that join."""
