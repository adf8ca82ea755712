"""A map of frames by their posture."""
