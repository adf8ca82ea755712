"""The paper's numbers (Mathis et al. 2018), DeepLabCut's own later ones, and dlcnb's, on the open-field mouse.

    DLCNB_DATA=… python benchmarks/paper.py --work FOLDER --minutes 30 [--repeats 3] [--only backbone parts] [--jobs 1]

Trains the paper's experiments on the 116 frames that DeepLabCut gives away (the paper had 1,080), prints the table, and
writes all figures that can be made. Everything finished is kept in ``--work``: run the same command again and it goes
on where it was stopped. All of it is 54 trainings, 27 hours at 30 minutes each;
``--only`` takes a part, ``--steps`` a budget that can be repeated exactly.
"""

import argparse
from pathlib import Path

import pandas as pd

from dlcnb import Project, experiments, figures, sampledata
from dlcnb.evaluate import summarize_splits

EXPERIMENTS = {
    "curves": {},
    "learning-curve": {"values": [0.05, 0.1, 0.2, 0.5, 0.8, 0.95]},
    "parts": {"values": ["snout", "tailbase"]},
    "backbone": {"keep": "curve"},
    "epsilon": {"keep": "curve"},
}
# What is compared: (in words, paper, later DeepLabCut, experiment, condition, bodyparts). Test errors, mean px.
# Later ones are of half of the paper's frames (github.com/DeepLabCut/DeepLabCut/pull/2613), or these 116 (pull/1074).
ROWS = (
    ("80 % trained on, snout and tail base", "human level, 2.69", "", "curves", "0.8", ("snout", "tailbase")),
    ("80 % trained on, all bodyparts", "", "", "curves", "0.8", ("all",)),
    ("50 % trained on", "3.09 ± 0.04", "2.77 (TF 2.12), 2.01 (PyTorch)", "learning-curve", "0.5", ("all",)),
    ("20 %", "", "", "learning-curve", "0.2", ("all",)),
    ("10 %", "< 5 (108 frames)", "", "learning-curve", "0.1", ("all",)),
    ("5 %", "", "", "learning-curve", "0.05", ("all",)),
    ("95 %", "", "1.77 to 2.36 (these frames, 100,000 steps, 6 tested)", "learning-curve", "0.95", ("all",)),
    ("one network for all, snout", "about half of the next", "", "parts", "all", ("snout",)),
    ("network for the snout alone", "", "", "parts", "snout", ("snout",)),
    ("one network for all, tail base", "about half of the next", "", "parts", "all", ("tailbase",)),
    ("network for the tail base alone", "", "", "parts", "tailbase", ("tailbase",)),
    ("EfficientNet-Lite0, 50 %", "", "", "backbone", "efficientnet-lite0", ("all",)),
    ("ResNet-50, 50 %", "3.09 ± 0.04", "2.77 (TF 2.12), 2.01 (PyTorch)", "backbone", "resnet-50", ("all",)),
    ("ResNet-101, 50 %", "2.90 ± 0.09", "", "backbone", "resnet-101", ("all",)),
    ("ResNet-101ws, 50 %", "2.88 ± 0.06", "", "backbone", "resnet-101ws", ("all",)),
    ("radius 5 px, 50 %", "a little worse than 17", "", "epsilon", "5", ("all",)),
    ("radius 10 px, 50 %", "", "", "epsilon", "10", ("all",)),
    ("radius 17 px, 50 %", "about the same as 25", "", "epsilon", "17", ("all",)),
    ("radius 25 px, 50 %", "", "", "epsilon", "25", ("all",)),
)


def project_in(work):
    """The open-field project in a folder, made once."""
    found = list(work.glob("openfield-*/config.yaml"))
    return Project.open(found[0].parent) if found else sampledata.openfield(work)


def trained(project, kind, options):
    """Do what is left of an experiment; returns its table."""
    budget = {"steps": options.steps} if options.steps else {"minutes": options.minutes}
    plan = experiments.plan(project, kind, repeats=options.repeats, **EXPERIMENTS[kind], **budget)
    for progress in experiments.run(plan, processes=options.jobs):
        if progress.finished:
            why = progress.failed.get(progress.finished)
            told = f"FAILED: {why}" if why else "done"
            print(f"{kind}: {progress.finished} {told} ({progress.done} of {progress.total})", flush=True)
    return experiments.write_results(plan)[0]


def cell(table, condition, parts):
    """Mean test error ± s.e.m. over the splits, of the mean of these bodyparts, as text."""
    chosen = (table["set"] == "test") & (table["condition"] == condition) & table["bodypart"].isin(parts)
    found = summarize_splits(table[chosen].groupby("repeat")["mean_px"].mean())
    frames = table[chosen]["trained_frames"]
    poor = " (from random weights)" if table[chosen]["began_from"].eq("random instead of imagenet").any() else ""
    return f"{found} ({found.n} splits, {frames.iloc[0]} frames){poor}" if found.n else "-"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("paper-benchmark"), help="folder of the project")
    parser.add_argument("--minutes", type=float, default=30.0, help="of each training")
    parser.add_argument("--steps", type=int, help="of each training, instead")
    parser.add_argument("--repeats", type=int, default=3, help="splits of each")
    parser.add_argument("--only", nargs="+", choices=list(EXPERIMENTS), default=list(EXPERIMENTS))
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    options = parser.parse_args()
    project = project_in(options.work)
    tables = {kind: trained(project, kind, options) for kind in options.only}
    rows = [
        (words, paper or "-", later or "-", cell(tables[kind], condition, parts))
        for words, paper, later, kind, condition, parts in ROWS
        if kind in tables
    ]
    budget = f"{options.steps} steps" if options.steps else f"{options.minutes:g} minutes"
    table = pd.DataFrame(rows, columns=["test error, mean px", "paper", "DeepLabCut later", f"dlcnb, {budget}"])
    print(table.to_string(index=False))
    for one in figures.write(project, formats=("png", "svg")):
        print(f"figure {one.name}: {one.paths[0] if one.paths else one.missing or one.failed}")


if __name__ == "__main__":
    main()
