"""Widgets for a class and its teacher."""
