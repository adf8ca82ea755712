"""A project that dlcnb labeled further, read by DeepLabCut 3 and written again: are the numbers the same on both sides?

    python -m venv dlc3 && dlc3/bin/pip install "deeplabcut==3.0.*"
    python benchmarks/deeplabcut_roundtrip.py --python dlc3/bin/python [--project FOLDER]

DeepLabCut has an environment of its own, as it wants other versions than MXNet. On a copy of the project (a synthetic
one by default) dlcnb extracts ten frames, labels them (one bodypart marked not visible) and writes poses of the video.
Then DeepLabCut's own functions merge the labels, make a training set, and load the poses; it writes the labels as its
labeling tool does, and dlcnb opens the project again. Prints how far the numbers differ at each step, in pixels.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from dlcnb import Labels, LabelStore, Poses, Project, VideoReader, doctor, frames, sampledata
from dlcnb.labels import Edit

THERE = """
import sys
from pathlib import Path
import numpy as np, pandas as pd
import deeplabcut
from deeplabcut.generate_training_dataset.trainingsetmanipulation import merge_annotateddatasets
from deeplabcut.utils import auxiliaryfunctions

root, scorer, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
cfg = auxiliaryfunctions.read_config(str(root / "config.yaml"))
video = Path(next(iter(cfg["video_sets"])))
labels = merge_annotateddatasets(cfg, out)
splits = deeplabcut.create_training_dataset(str(root / "config.yaml"), userfeedback=False)
poses = auxiliaryfunctions.load_analyzed_data(str(video.parent), video.stem, scorer)[0]
for table in sorted((root / "labeled-data").glob("*/CollectedData_*.h5")):
    read = pd.read_hdf(table)
    read.to_hdf(table, key="df_with_missing", mode="w")
    read.to_csv(table.with_suffix(".csv"))
np.savez(
    out / "there.npz",
    images=["/".join(row) for row in labels.index],
    labels=labels.to_numpy().reshape(len(labels), -1, 2),
    poses=poses.to_numpy().reshape(len(poses), -1, 3),
    train=splits[0][2][0], test=splits[0][2][1],
)
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--python", required=True, help="of the environment that has DeepLabCut 3")
    options.add_argument("--project", type=Path, help="a project to copy; by default a synthetic one")
    options = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = _project(Path(folder), options.project)
        images, labels, poses = _label_and_analyze(project)
        subprocess.run([options.python, "-c", THERE, project.root, poses.scorer, folder], check=True)
        there = np.load(Path(folder) / "there.npz")
        same = there["images"].tolist() == images
        print(f"labels    {len(there['images'])} frames, the same: {same}; {_most(there['labels'], labels)}")
        print(f"training  {len(there['train'])} frames, test {len(there['test'])}")
        ours = np.concatenate([poses.points, poses.likelihood[..., None]], -1)
        print(f"poses     {len(there['poses'])} frames; {_most(there['poses'], ours)}")
        again = _labels(Project.open(project.root))
        print(f"and back  {len(again[0])} frames; {_most(again[1], labels)}")
        print("doctor   ", *doctor(project.root), sep="\n          ")


def _project(folder: Path, given: Path | None) -> Project:
    if given is None:
        arena = sampledata.Arena(seed=0, n_frames=200, size=(240, 320))
        return sampledata.synthetic_project(folder, n_label=20, arena=arena)
    root = Path(shutil.copytree(given, folder / given.name))
    doctor(root, repair=True)  # its paths are those of the copy
    return Project.open(root)


def _label_and_analyze(project: Project) -> tuple[list[str], np.ndarray, Poses]:
    """Ten frames more, labeled at random, and poses of the first video: (images, labels (T, K, 2), poses)."""
    rng, video = np.random.default_rng(0), project.videos[0]
    with VideoReader(video) as reader:
        n, (height, width) = len(reader), reader.size
    there = frames.extracted(project.labeled_dir(video))
    frames.extract(project, video, [i for i in range(n) if i not in there][:: max((n - len(there)) // 10, 1)][:10])
    store = LabelStore(project, video)
    store.add_images()
    for image, state in zip(store.images, store.states, strict=True):
        if state == "new":
            points = rng.uniform(0, (width, height), (len(store.bodyparts), 2))
            pairs = zip(store.bodyparts, points.tolist(), strict=True)
            placed = [Edit(image, part, (x, y)) for part, (x, y) in pairs]
            store.apply([*placed[1:], Edit(image, store.bodyparts[0], None, visible=False)])
    store.save()
    shape = (n, len(project.bodyparts))
    poses = Poses(project.bodyparts, "DLC_dlcnb", rng.uniform(0, width, (*shape, 2)), rng.uniform(0, 1, shape))
    poses.write(video)
    return *_labels(project), poses


def _labels(project: Project) -> tuple[list[str], np.ndarray]:
    labels = Labels.read_project(project)
    order = np.argsort(labels.images)
    return [labels.images[i] for i in order], labels.points[order]


def _most(one: np.ndarray, other: np.ndarray) -> str:
    """The largest difference; a place that is NaN on one side only counts as infinite."""
    if one.shape != other.shape or (np.isnan(one) != np.isnan(other)).any():
        return f"not comparable, {one.shape} and {other.shape}"
    return f"largest difference {np.nanmax(np.abs(one - other)):.2g}"


if __name__ == "__main__":
    main()
