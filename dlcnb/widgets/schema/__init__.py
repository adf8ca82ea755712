"""Bodyparts and skeleton, edited in all files."""
