"""Zones of the frame: drawn, kept as GeoJSON, copied to other videos, and what bodyparts did in them."""

from dlcnb.zones.measure import Stays, heat_map, stays, zone_table
from dlcnb.zones.presets import PRESETS, around, centre_and_border, inner_box, plus_maze, quadrants, y_maze
from dlcnb.zones.shapes import KINDS, Zone, ZoneError, check_zones, fitted
from dlcnb.zones.store import ZoneFile, copy_zones, read_zones, zones_path

__all__ = [
    "KINDS",
    "PRESETS",
    "Stays",
    "Zone",
    "ZoneError",
    "ZoneFile",
    "around",
    "centre_and_border",
    "check_zones",
    "copy_zones",
    "fitted",
    "heat_map",
    "inner_box",
    "plus_maze",
    "quadrants",
    "read_zones",
    "stays",
    "y_maze",
    "zone_table",
    "zones_path",
]
