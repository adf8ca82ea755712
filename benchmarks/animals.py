"""Test error of the recipe on any number of labeled projects, with default settings and a budget of minutes.

    python benchmarks/animals.py PROJECT … --minutes 5 --seeds 0
    python benchmarks/animals.py openfield --pixels --minutes 5          (the same labels, other pixels)
    python benchmarks/animals.py PROJECT --minutes 10 --peer PYTHON      (SLEAP-NN on the same frames, too)

For each project, budget and split seed it trains on 80 % of the labeled frames, in a process of its own, and prints one
row: PCK5 (share of the test points within 5 % of the animal's size, the median diagonal of the labels' bounding box),
mean and median distance in px, the least presence AUC of a bodypart that is missing in some test frames, the worst
bodypart's median error on *training* frames in % of the animal's size, steps, peak memory, and how many frames per
second the network takes, exact and in int8. `--pixels` trains on copies of the frames: half, double and four times as
large, turned, with a border, mirrored, and with other names. `--peer` is the Python of an environment with SLEAP-NN
(see sleap_peer.py): a row more for each, of the same split and minutes, judged by the same functions.
"""

import argparse
import multiprocessing
import resource
import shutil
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

COLUMNS = "project minutes seed PCK5_% mean_px median_px presence_AUC worst_part_% steps peak_MB fp32_fps int8_fps"


def one(root, minutes, seed, settings):
    """Train one network in a copy of a project; returns the row of the table, and what the recipe decided."""
    from dlcnb import Project, TrainConfig, evaluate_run, train
    from dlcnb.run import Run

    project = Project.open(root)
    config = TrainConfig.from_dict({"minutes": minutes, "train_fraction": 0.8, "split_seed": seed, **settings})
    run = project.new_run(config.train_fraction)
    *_, last = train(project, config, run=run)
    found = evaluate_run(project, run)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    speeds = (f"{frames_per_second(project, run, engine):.0f}" for engine in ("fp32", "int8"))
    return [*judged(found), last.step, f"{memory:.0f}", *speeds], Run(run).settings.get("decisions", [])


def peer(root, minutes, seed, python, changes):
    """Train SLEAP-NN on the same frames; returns the row of the table, and what it was."""
    from sleap_peer import measured

    found, facts = measured(root, minutes, seed, python, changes)
    about = "SLEAP-NN {version}, PyTorch {torch}, {cpu:.0f} s of CPU time, the network of step {best}".format_map(facts)
    return [*judged(found), facts["steps"], f"{facts['memory']:.0f}", f"{facts['speed']:.0f}", "-"], [about]


def judged(found):
    """The columns PCK5 to worst part of an evaluation."""
    from dlcnb.evaluate import animal_px, pck5, presence

    size, errors = animal_px(found.labels), found.errors
    test, trained = errors[found.is_test], errors[~found.is_test]
    enough = (~np.isnan(trained)).sum(0) >= 5
    worst = np.nanmax(np.nanmedian(trained[:, enough], 0)) / size if enough.any() else np.nan
    aucs = [part.auc for part in presence(found) if np.isfinite(part.auc)]
    return [
        *(f"{100 * pck5(found, size):.1f}", f"{np.nanmean(test):.2f}", f"{np.nanmedian(test):.2f}"),
        *(f"{min(aucs):.3f}" if aucs else "-", f"{100 * worst:.1f}"),
    ]


def frames_per_second(project, run, engine):
    """From decoded frames to points, eight at a time, the best of four rounds."""
    from dlcnb import Predictor
    from dlcnb.trainset import TrainSet

    data, best = TrainSet.from_project(project), 0.0
    images = [data.image(n) for n in range(len(data)) if data.image(n).shape == data.image(0).shape][:8]
    predictor = Predictor(run, engine=engine)
    for _ in range(4):
        began = time.perf_counter()
        predictor.predict(images)
        best = max(best, len(images) / (time.perf_counter() - began))
    return best


def copied(project, folder, change=lambda image: image, move=lambda points, size: points, names=None):
    """A copy of a project with changed frames, moved points ``(N, K, 2)`` and other names; returns its folder."""
    import cv2

    from dlcnb import Project
    from dlcnb.labels import Labels, current_labels, read_image

    labels = current_labels(project, finished=True)
    names = names or list(labels.bodyparts)
    clip = next(iter(project.videos), None)
    made = Project.create("pixels", "bench", [clip] if clip else [], names, parent=folder)
    for video in sorted({Path(name).parts[1] for name in labels.images}):
        chosen = [n for n, name in enumerate(labels.images) if Path(name).parts[1] == video]
        target = made.root / "labeled-data" / video
        target.mkdir(parents=True, exist_ok=True)
        points = labels.points[chosen].copy()
        for row, index in enumerate(chosen):
            image = read_image(project.root / labels.images[index])
            points[row] = move(points[row], image.shape[:2])
            name = target / Path(labels.images[index]).with_suffix(".png").name
            cv2.imwrite(str(name), cv2.cvtColor(change(image), cv2.COLOR_RGB2BGR))
        images = tuple(f"labeled-data/{video}/{Path(labels.images[n]).with_suffix('.png').name}" for n in chosen)
        Labels(tuple(names), "bench", images, points).write(target)
    return made.root


def variants(project):
    """{name: arguments of `copied`}: what changes the pixels and not what they show."""
    import cv2

    from dlcnb.labels import current_labels
    from dlcnb.trainset import mirror_order

    names = list(current_labels(project, finished=True).bodyparts)
    twins = mirror_order(names)
    styled = {n: f"part{min(n, twins[n])}{'L' if n < twins[n] else 'R'}H" for n in range(len(names)) if twins[n] != n}
    border = 300

    def resized(factor):
        way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        return {
            "change": lambda image: cv2.resize(image, None, fx=factor, fy=factor, interpolation=way),
            "move": lambda points, _size: (points + 0.5) * factor - 0.5,
        }

    return {
        "as they are": {},
        "half": resized(0.5),
        "double": resized(2),
        "four times": resized(4),
        "turned": {
            "change": lambda image: cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE),
            "move": lambda points, size: np.stack([size[0] - 1 - points[:, 1], points[:, 0]], -1),
        },
        "border": {
            "change": lambda image: cv2.copyMakeBorder(image, *[border] * 4, cv2.BORDER_CONSTANT),
            "move": lambda points, _size: points + border,
        },
        "mirrored": {
            "change": lambda image: np.ascontiguousarray(image[:, ::-1]),
            "move": lambda points, size: (points * [-1, 1] + [size[1] - 1, 0])[twins],
        },
        "renamed": {"names": [styled.get(n, name) for n, name in enumerate(names)]},
    }


def in_a_process(function, *arguments):
    """Call a function in a new process, whose memory is its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def rows_of(root, arguments, settings, name):
    """Print the rows of one project."""
    decided, about = [], []
    for minutes in arguments.minutes:
        for seed in arguments.seeds:
            if not arguments.peer_only:
                row, decided = in_a_process(one, root, minutes, seed, settings)
                print(" | ".join(map(str, [name, f"{minutes:g}", seed, *row])), flush=True)
            if arguments.peer:
                row, about = peer(root, minutes, seed, arguments.peer, arguments.peer_set)
                print(" | ".join(map(str, [f"{name}, SLEAP-NN", f"{minutes:g}", seed, *row])), flush=True)
    if arguments.reasons:
        print(*(f"    {reason}" for reason in [*decided, *about]), sep="\n", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", nargs="+", help="folders of projects, which are copied; or 'openfield'")
    parser.add_argument("--minutes", type=float, nargs="+", default=[5.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="other training settings")
    parser.add_argument("--pixels", nargs="*", help="train on changed copies of the frames: all, or the named ones")
    parser.add_argument("--reasons", action="store_true", help="print what the recipe decided, and the peer's versions")
    parser.add_argument("--peer", metavar="PYTHON", help="of an environment with SLEAP-NN, which is measured, too")
    parser.add_argument("--peer-only", action="store_true", help="train the peer alone")
    parser.add_argument("--peer-set", nargs="*", default=[], metavar="KEY=VALUE", help="other settings of the peer")
    arguments = parser.parse_args()
    if arguments.peer_only and not arguments.peer:
        parser.error("--peer-only needs --peer PYTHON, that of an environment with SLEAP-NN")
    import yaml

    from dlcnb import Project, sampledata

    settings = {key: yaml.safe_load(value) for key, value in (pair.split("=", 1) for pair in arguments.set)}
    print(COLUMNS.replace(" ", " | ").replace("_", " "))
    for given in arguments.projects:
        with tempfile.TemporaryDirectory() as folder:
            if given == "openfield":
                root = sampledata.openfield(folder).root
            else:
                root = Path(folder) / Path(given).resolve().name
                shutil.copytree(given, root)
            if arguments.pixels is None:
                rows_of(root, arguments, settings, root.name)
                continue
            project = Project.open(root)
            for name, how in variants(project).items():
                if not arguments.pixels or name in arguments.pixels:
                    with tempfile.TemporaryDirectory() as other:
                        rows_of(copied(project, other, **how), arguments, settings, name)


if __name__ == "__main__":
    main()
