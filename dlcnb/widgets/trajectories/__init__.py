"""Poses as curves to click through."""
