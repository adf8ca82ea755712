"""SLEAP-NN, in an environment of its own, on the frames, split and minutes of `animals.py`.

    python -m venv sleapnn && sleapnn/bin/pip install "sleap-nn[torch-cpu]"
    python benchmarks/animals.py PROJECT --minutes 10 --peer sleapnn/bin/python [--peer-only] [--peer-set KEY=VALUE …]

It trains a single-instance network on the training frames of the split and stops when the time is over; of all epochs
the one with the lowest loss on the *test* frames is kept, which favours it. `settings` says what was chosen for a CPU;
`--peer-set trainer_config.optimizer.lr=0.0005` changes any of it. All of its predictions count, however unsure, but
none lies outside of the frame.
This file runs in both environments: `measured` in dlcnb's, `there` in that of SLEAP-NN.
"""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

MOST_SIDE, LEAST_ANIMAL = 256, 64  # px, of frames and of the animal as its network sees them


def measured(root, minutes, seed, python, changes=()):
    """(`dlcnb.Evaluation` of SLEAP-NN, facts: versions, steps, CPU seconds, memory in MB, speed in frames/s)."""
    from dlcnb import Project, TrainConfig
    from dlcnb.evaluate import Evaluation, animal_px
    from dlcnb.trainset import TrainSet, choose_split

    project = Project.open(root)
    data = TrainSet.from_project(project)
    config = TrainConfig.from_dict({"minutes": minutes, "train_fraction": 0.8, "split_seed": seed})
    parts = choose_split(data.images, config)
    rotation = data.plan(config, parts.train).config.rotation
    with tempfile.TemporaryDirectory() as folder:
        images = [str(data.root.absolute() / name) for name in data.images]
        sizes = np.array(data.sizes(range(len(data))))
        chosen = settings(folder, sizes.max(), animal_px(data.points[parts.train]), rotation, seed)
        about = {"images": images, "points": data.points, "sizes": sizes, "bodyparts": data.bodyparts}
        np.savez(Path(folder, "here.npz"), **about, train=parts.train, test=parts.test)
        Path(folder, "here.json").write_text(json.dumps({"settings": chosen, "changes": list(changes)}))
        run(python, folder, minutes)
        found, facts = np.load(Path(folder, "there.npz")), json.loads(Path(folder, "there.json").read_text())
        predicted, likelihood = found["predicted"], found["likelihood"]
    is_test = np.isin(np.arange(len(data)), parts.test)
    names = (tuple(data.bodyparts), tuple(data.images), data.points)
    return Evaluation(*names, predicted, likelihood, is_test, project.pcutoff, "best", facts["steps"]), facts


def run(python, folder, minutes):
    """Train and predict in the other environment; Lightning ends the training when the time is over."""
    spent = {"PL_TRAINER_MAX_TIME": repr({"seconds": round(60 * minutes)})}
    command = [python, "-P", __file__, folder]
    try:
        done = subprocess.run(command, env={**os.environ, **spent}, capture_output=True, text=True, check=False)
    except OSError as error:
        message = f"--peer: expected the Python of an environment with SLEAP-NN, found {python} ({error})."
        raise SystemExit(message) from None
    if done.returncode:
        ending = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise SystemExit(f"{ending}\n{python} failed; it needs SLEAP-NN: {python} -m pip install 'sleap-nn[torch-cpu]'")


def settings(folder, side, animal, rotation, seed):
    """SLEAP-NN's configuration: ``side`` is the frames' longest, ``animal`` the size of the animal, both px.

    What differs from its profile for single animals (filters_rate 2, maps at half the size, sigma 2.5, learning rate
    1e-4): a network and maps that make two and a half times as many steps, frames as small as the animal allows, images
    kept in memory, rotation as wide as the recipe decided, a higher learning rate, and no early end.
    """
    scale = min(1.0, max(MOST_SIDE / side, LEAST_ANIMAL / animal))
    turned = {"rotation_min": -rotation, "rotation_max": rotation, "rotation_p": 1.0}
    loader = {"batch_size": 4, "num_workers": 0}
    return {
        "data_config": {
            "data_pipeline_fw": "torch_dataset_cache_img_memory",
            "preprocessing": {"scale": round(scale, 3)},
            "use_augmentations_train": True,
            "augmentation_config": {"geometric": {**turned, "scale_min": 0.9, "scale_max": 1.1, "scale_p": 1.0}},
        },
        "model_config": {
            "backbone_config": {"unet": {"filters": 16, "filters_rate": 1.5, "max_stride": 16, "output_stride": 4}},
            "head_configs": {"single_instance": {"confmaps": {"sigma": 5.0, "output_stride": 4}}},
        },
        "trainer_config": {
            "train_data_loader": {**loader, "shuffle": True},
            "val_data_loader": {**loader, "shuffle": False},
            "train_steps_per_epoch": 100,
            "min_train_steps_per_epoch": 100,
            "max_epochs": 100_000,
            "early_stopping": {"stop_training_on_plateau": False},
            "optimizer_name": "Adam",
            "optimizer": {"lr": 1e-3},
            "lr_scheduler": {"reduce_lr_on_plateau": {"patience": 5, "factor": 0.5, "min_lr": 1e-5}},
            "trainer_accelerator": "cpu",
            "trainer_devices": 1,
            "enable_progress_bar": False,
            "save_ckpt": True,
            "ckpt_dir": str(folder),
            "run_name": "network",
            "seed": seed,
        },
    }


def there(folder):
    """In SLEAP-NN's environment: train as ``here.json`` says, and predict all frames of ``here.npz``."""
    from importlib.metadata import version

    import torch
    from omegaconf import OmegaConf
    from sleap_nn.config.training_job_config import verify_training_cfg
    from sleap_nn.inference import Predictor
    from sleap_nn.training.model_trainer import ModelTrainer

    here, given = np.load(folder / "here.npz"), json.loads((folder / "here.json").read_text())
    config = OmegaConf.merge(given["settings"], OmegaConf.from_dotlist(given["changes"]))
    videos, rows = videos_of(here["images"], here["sizes"])
    train, test = (labels_of(videos, rows, here, here[part]) for part in ("train", "test"))
    trainer = ModelTrainer.get_model_trainer_from_config(
        verify_training_cfg(config), train_labels=[train], val_labels=[test]
    )
    began = time.process_time()
    trainer.train()
    spent = time.process_time() - began
    predictor = Predictor.from_model_paths([str(folder / "network")], device="cpu", peak_threshold=-math.inf)
    points, likelihood = predict(predictor, videos, rows, len(here["images"]))
    points = np.clip(points, 0, here["sizes"][:, None, ::-1] - 1)  # its refinement of a flat map may lead anywhere
    np.savez(folder / "there.npz", predicted=points, likelihood=likelihood)
    best = torch.load(folder / "network" / "best.ckpt", map_location="cpu", weights_only=False)
    facts = {
        "version": version("sleap-nn"),
        "torch": version("torch"),
        "steps": trainer.trainer.global_step,
        "best": best["global_step"],
        "cpu": spent,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "speed": frames_per_second(predictor, videos[0]),
    }
    (folder / "there.json").write_text(json.dumps(facts))


def videos_of(images, sizes):
    """(a list of images as sleap-io's video for each size of frame, the rows of ``images`` in each)."""
    import sleap_io as sio

    rows = [np.flatnonzero((sizes == size).all(1)) for size in np.unique(sizes, axis=0)]
    return [sio.Video.from_filename([str(images[n]) for n in some]) for some in rows], rows


def labels_of(videos, rows, here, chosen):
    """sleap-io's labels of the ``chosen`` rows."""
    import sleap_io as sio

    skeleton = sio.Skeleton(nodes=[str(name) for name in here["bodyparts"]])
    frames = []
    for video, some in zip(videos, rows, strict=True):
        for index, row in enumerate(some):
            if row in chosen:
                animal = sio.Instance.from_numpy(here["points"][row], skeleton=skeleton)
                frames.append(sio.LabeledFrame(video=video, frame_idx=index, instances=[animal]))
    return sio.Labels(labeled_frames=frames, videos=list(videos), skeletons=[skeleton])


def predict(predictor, videos, rows, n):
    """Points (n, K, 2) px and the height of their peaks (n, K), 0..1."""
    k = len(predictor.skeleton.nodes)
    points, likelihood = np.full((n, k, 2), np.nan), np.zeros((n, k))
    for video, some in zip(videos, rows, strict=True):
        for batch in predictor.predict(video, make_labels=False):
            arrays = batch.numpy()
            where = some[arrays["frame_indices"].astype(int)]
            points[where] = arrays["pred_keypoints"][:, 0]
            likelihood[where] = np.clip(np.nan_to_num(arrays["pred_peak_values"][:, 0]), 0, 1)
    return points, likelihood


def frames_per_second(predictor, video):
    """From decoded frames to points, eight at a time, the best of four rounds."""
    images, best = np.stack([video[n] for n in range(min(8, len(video)))]), 0.0
    for _ in range(4):
        began = time.perf_counter()
        predictor.layer.predict(images)
        best = max(best, len(images) / (time.perf_counter() - began))
    return best


if __name__ == "__main__":
    there(Path(sys.argv[1]))
