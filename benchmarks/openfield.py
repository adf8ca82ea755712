"""Test error on the real open-field mouse: 80/20, several split seeds, several training budgets.

    DLCNB_DATA=… python benchmarks/openfield.py --minutes 5 10 --seeds 0 1 2

Prints one line per run (mean, RMS and median distance in px on the test frames, per bodypart) and, per budget, the
mean and standard error over the seeds. Without DLCNB_DATA the set is fetched by hash.
"""

import argparse
import tempfile

import numpy as np

from dlcnb import TrainConfig, evaluate_run, sampledata, train


def one(project, minutes, seed, settings):
    """Train one network; returns its `Evaluation` and the last step."""
    config = TrainConfig.from_dict({"minutes": minutes, "train_fraction": 0.8, "split_seed": seed, **settings})
    run = project.new_run(config.train_fraction)
    *_, last = train(project, config, run=run)
    return evaluate_run(project, run), last


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, nargs="+", default=[5.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="other training settings")
    arguments = parser.parse_args()
    settings = {key: float(value) for key, value in (pair.split("=") for pair in arguments.set)}
    with tempfile.TemporaryDirectory() as folder:
        project = sampledata.openfield(folder)
        for minutes in arguments.minutes:
            means = []
            for seed in arguments.seeds:
                evaluation, step = one(project, minutes, seed, settings)
                result = evaluation.to_json()
                means.append(result["test"]["mean_px"])
                parts = ", ".join(f"{n} {v['test_mean_px']:.2f}" for n, v in result["bodyparts"].items())
                print(
                    f"{minutes:g} min, seed {seed}: test mean {means[-1]:.2f} rms {result['test']['rms_px']:.2f} "
                    f"median {result['test']['median_px']:.2f} px ({parts}); train mean "
                    f"{result['train']['mean_px']:.2f} px; {step.step} steps, best {evaluation.step}",
                    flush=True,
                )
            error = np.std(means, ddof=1) / np.sqrt(len(means)) if len(means) > 1 else np.nan
            print(f"{minutes:g} min, {len(means)} seeds: test mean {np.mean(means):.2f} ± {error:.2f} px", flush=True)


if __name__ == "__main__":
    main()
