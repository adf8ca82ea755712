"""Zones on a million frames: time and memory; and the same frames by movement's regions, in a Python that has it.

python benchmarks/zones.py
python benchmarks/zones.py --frames 20000 --parts 3 --movement /path/to/python
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from dlcnb.poses import Poses
from dlcnb.project import Scale
from dlcnb.trajectories import tracks
from dlcnb.zones import Zone, ZoneFile, around, centre_and_border, quadrants, zone_table

SIZE, FPS = (480, 640), 30
BY_MOVEMENT = """
import json, sys
import numpy as np, xarray as xr
from movement.roi import load_rois
from movement.roi.conditions import compute_region_occupancy
points = np.load(sys.argv[1])
data = xr.DataArray(points, dims=("time", "keypoints", "space"), coords={"space": ["x", "y"]})
regions = load_rois(sys.argv[2])
found = compute_region_occupancy(data, regions)
print(json.dumps({str(r): found.sel(region=r).sum("time").values.tolist() for r in found.region.values}))
"""


def made_up(frames: int, parts: int) -> Poses:
    """Parts that wander about the frame, some frames unsure."""
    rng = np.random.default_rng(0)
    way = np.cumsum(rng.normal(0, 2, (frames, 1, 2)), axis=0) + (320, 240)
    way = np.abs((way % (2 * np.array([640, 480]))) - (640, 480))  # mirrored at the walls
    points = way + rng.normal(0, 3, (frames, parts, 2))
    return Poses(tuple(f"part{k}" for k in range(parts)), "DLC_made_up", points, rng.uniform(0.55, 1, (frames, parts)))


def ten_zones() -> list[Zone]:
    """Rectangles, an ellipse, polygons with many corners and with a hole."""
    disc = Zone("object", "ellipse", ((100, 100), (160, 150)))
    star = Zone("nest", "polygon", ((400, 300), (460, 320), (500, 290), (480, 360), (500, 420), (440, 390), (390, 410)))
    box = (0, 0, 640, 480)
    found = [*quadrants(box), *centre_and_border(box), disc, around(disc, 30), star, around(star, 20)]
    return found[:10]


def main() -> None:
    """Print what it takes, and how far movement counts otherwise."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--parts", type=int, default=20)
    parser.add_argument("--movement", help="a Python that has movement")
    options = parser.parse_args()
    poses, zones = made_up(options.frames, options.parts), ten_zones()
    times = np.arange(options.frames) / FPS
    began, processor = time.perf_counter(), time.process_time()
    points = tracks(poses, pcutoff=0.6)
    measured = Scale.by_number(12).to_cm(points)
    rows, _ = zone_table(points, poses.bodyparts, zones, times, measured=measured, unit="cm")
    seconds, processor = time.perf_counter() - began, time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{options.frames:,} frames × {options.parts} parts × {len(zones)} zones:", end=" ")
    print(f"{seconds:.1f} s ({processor:.1f} s of CPU), peak {peak:,.0f} MB with the poses")
    if options.movement:
        compare(options.movement, points, zones, rows, poses.bodyparts)


def compare(python: str, points: np.ndarray, zones: list[Zone], rows: list[dict], parts: tuple[str, ...]) -> None:
    """Print the frames in each zone by both."""
    with tempfile.TemporaryDirectory() as folder:
        path, array = Path(folder) / "zones.geojson", Path(folder) / "points.npy"
        file = ZoneFile(path, SIZE)
        file.read()
        file.write(zones)
        np.save(array, points)
        done = subprocess.run([python, "-c", BY_MOVEMENT, array, path], capture_output=True, text=True, check=True)
    theirs, ours = (
        json.loads(done.stdout.splitlines()[-1]),
        {(r["zone"], r["bodypart"]): r["time_s"] * FPS for r in rows},
    )
    print("zone: frames here, frames by movement, all parts together")
    for zone in zones:
        here = sum(ours[zone.name, part] for part in parts)
        print(f"  {zone.name}: {here:.0f}, {sum(theirs[zone.name]):.0f}")


if __name__ == "__main__":
    main()
