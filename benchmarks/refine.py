"""Does the loop pay? Outlier frames against random frames as the next ones to label, on the real open-field mouse.

    DLCNB_DATA=… python benchmarks/refine.py --seeds 0 1 2 [--first-steps 1200] [--steps 400] [--random 2]
        [--work FOLDER]

Per seed: 20 % of the labeled frames are the test frames, fixed for all networks. A network is trained on 20 of the
others. It predicts the rest (the candidates); the outlier criteria, which see predictions only and no labels, choose 10
of them; the expert's labels stand in for the person who corrects them. From the first network's last snapshot a network
is trained on with the 10 outlier frames added, one with 10 random candidates added (``--random`` draws), one with none
added: the same steps, rates and seeds for all.

Prints the test errors per seed (mean distance, px) and their means. Everything finished is kept in ``--work``: run the
same command again and it goes on where it was stopped.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np

from dlcnb import Labels, Poses, Predictor, Project, TrainConfig, TrainSet, sampledata, train
from dlcnb.evaluate import errors, summarize
from dlcnb.outliers import score
from dlcnb.trainset import split

BONES = ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3))  # snout, ears, base of the tail: the project names no skeleton


def first_frames(n, seed, count):
    """``(first, candidates, test)``: indices of the frames labeled at first, of those that may follow, of the test."""
    parts = split(n, 0.8, seed)
    order = np.random.default_rng(seed).permutation(parts.train)
    return np.sort(order[:count]), np.sort(order[count:]), parts.test


def outlier_frames(poses, hows, count):
    """``count`` frames of poses, in turn the worst one by each criterion that is not chosen yet."""
    rankings = []
    for how in hows:
        found = score(poses, how, skeleton=BONES)
        order = np.argsort(-found.worst if found.above else found.worst, kind="stable")  # NaN comes last
        rankings.append(list(order))
    chosen = []
    while len(chosen) < count:
        for ranking in rankings:
            chosen.append(next(frame for frame in ranking if frame not in chosen))
    return chosen[:count]


class Loop:
    """One seed: its folder holds a project per network, and results as json."""

    def __init__(self, folder, options, seed):
        self.folder, self.options, self.seed = Path(folder), options, seed
        self.source = Project.open(sampledata.openfield_path())
        self.labels = Labels.read_project(self.source)
        self.frames = TrainSet(self.source.root, self.labels)
        self.first, self.candidates, self.test = first_frames(len(self.labels), seed, options.first)

    def network(self, name, rows, length, start_from=None):
        """Train (or go on training, or find trained) a network on the frames ``rows``; returns its run."""
        root = self.folder / name
        if not root.exists():  # made under another name: a half-made project would train on all frames
            making = root.with_name(f"{name}-new")
            shutil.rmtree(making, ignore_errors=True)
            (table_folder,) = sampledata.openfield(making).labeled_dirs()
            self.labels.select(np.sort(rows)).write(table_folder)
            making.rename(root)
        project = Project.open(root / self.source.root.name)
        run = project.last_run() if project.runs() else project.new_run(1.0)
        config = TrainConfig(
            steps=length,
            train_fraction=1.0,
            validation_fraction=0.0,
            seed=self.seed,
            start_from=start_from and str(start_from),
        )
        steps = sorted(int(p.stem.split("-")[1]) for p in run.glob("snapshot-*.params"))
        if not steps or steps[-1] < length:
            for _ in train(project, config, run=run, resume=bool(steps)):
                pass
        return run

    def predicted(self, run, rows):
        """Points (n, K, 2) and likelihood (n, K) of a run's last snapshot in the frames ``rows``."""
        predictor = Predictor(run, "last")
        found = [predictor.predict([self.frames.image(i)]) for i in rows]
        return tuple(np.concatenate(each) for each in zip(*found, strict=True))

    def test_error(self, run):
        """Mean distance from the labels of the test frames, px."""
        points, _ = self.predicted(run, self.test)
        return float(summarize(errors(self.labels.points[self.test], points)).mean_px)

    def kept(self, name, make):
        """The value in ``<name>.json``, made first if there is none."""
        path = self.folder / f"{name}.json"
        if not path.exists():
            value = make()
            self.folder.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(value))
        return json.loads(path.read_text())

    def chosen(self, run):
        """The outlier criteria's choice among the candidates, and how wrong the network is there and elsewhere."""
        points, likelihood = self.predicted(run, self.candidates)
        poses = Poses(self.labels.bodyparts, "benchmark", points, likelihood)
        places = outlier_frames(poses, self.options.how, self.options.add)
        wrong = np.nanmean(errors(self.labels.points[self.candidates], points), axis=1)
        return {
            "rows": [int(self.candidates[p]) for p in places],
            "error_px": float(np.nanmean(wrong[places])),
            "candidates_px": float(np.nanmean(wrong)),
        }

    def errors(self):
        """Train what is missing; {name: test error px} and what was chosen."""
        run = self.network("first", self.first, self.options.first_steps)
        found = {"first": self.kept("error-first", lambda: self.test_error(run))}
        chosen = self.kept("chosen", lambda: self.chosen(run))
        added = {"outliers": chosen["rows"], "none": []}
        for draw in range(self.options.random):
            rng = np.random.default_rng((self.seed, draw))
            added[f"random-{draw}"] = rng.choice(self.candidates, self.options.add, replace=False).tolist()
        for name, rows in added.items():
            both = np.concatenate([self.first, np.array(rows, int)])

            def grown(name=name, both=both):
                return self.test_error(self.network(name, both, self.options.steps, run))

            found[name] = self.kept(f"error-{name}", grown)
        return found, chosen


def row(label, found, chosen):
    """A line of the table."""
    random = [value for name, value in found.items() if name.startswith("random")]
    draws = " ".join(f"{value:.2f}" for value in random)
    cells = [found["first"], found["none"], found["outliers"], np.mean(random), chosen["error_px"]]
    cells.append(chosen["candidates_px"])
    return f"{label:>6s}" + "".join(f"{cell:12.2f}" for cell in cells) + f"   {draws}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--first-steps", type=int, default=1200, help="of the first network's training")
    parser.add_argument("--steps", type=int, default=400, help="of each further training")
    parser.add_argument("--first", type=int, default=20, help="frames labeled at first")
    parser.add_argument("--add", type=int, default=10, help="frames added")
    parser.add_argument("--random", type=int, default=2, help="random draws per seed")
    parser.add_argument("--how", nargs="+", default=["uncertain", "bone"], choices=["uncertain", "bone", "swap"])
    parser.add_argument("--work", type=Path, default=Path("refine-benchmark"), help="folder of runs and results")
    options = parser.parse_args()
    print(f"open-field, {options.first} frames, + {options.add} ({', '.join(options.how)}),", end=" ")
    print(f"{options.first_steps} steps, then {options.steps}")
    heads = ["first", "+ none", "+ outliers", "+ random", "outliers'", "candidates'"]
    print(f"{'seed':>6s}" + "".join(f"{head:>12s}" for head in heads) + "   random draws   (px)", flush=True)
    results = []
    for seed in options.seeds:
        numbers = options.first, options.add, options.first_steps, options.steps
        folder = options.work / "-".join([*map(str, numbers), *options.how]) / str(seed)
        results.append(Loop(folder, options, seed).errors())
        print(row(str(seed), *results[-1]), flush=True)
    means = [
        {key: float(np.mean([result[i][key] for result in results])) for key in results[0][i] if key != "rows"}
        for i in (0, 1)
    ]
    print(row("mean", *means), flush=True)


if __name__ == "__main__":
    main()
