"""Zones and centimetres, drawn on a frame."""
