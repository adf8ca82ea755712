"""Fixtures shared by the whole suite: the real open-field project where it is at hand, and a synthetic one."""

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items):
    """Without MXNet (Apple silicon, say) the tests that need it are skipped, not failed; so are a GPU's without one."""
    try:
        from dlcnb.backend.devices import Machine

        if not Machine().usable():
            for item in items:
                if "gpu" in item.keywords:
                    item.add_marker(pytest.mark.skip(reason="no GPU that MXNet can use"))
    except ImportError as error:
        reason = str(error).splitlines()[0]
        for item in items:
            if "mxnet" in item.keywords:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session", autouse=True)
def _no_published_weights(tmp_path_factory):
    """No test fetches ImageNet weights of 100 MB, nor depends on the user having them."""
    os.environ.setdefault("DLCNB_WEIGHTS", str(tmp_path_factory.mktemp("weights")))


@pytest.fixture(scope="session", autouse=True)
def _own_recent_projects(tmp_path_factory):
    """The user's list of recent projects is neither read nor filled."""
    os.environ["XDG_DATA_HOME"] = str(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def openfield_root():
    """Folder of the real open-field project, read-only; from DLCNB_DATA or the cache of earlier fetches."""
    from dlcnb import sampledata

    name = "openfield-Pranav-2018-10-30"
    if "DLCNB_DATA" in os.environ:
        root = Path(os.environ["DLCNB_DATA"]) / name
        if not root.is_dir():
            pytest.fail(f"DLCNB_DATA is set, but there is no {root}")
        return root
    root = sampledata.cached_openfield()
    if root is None:
        pytest.skip(
            "the real open-field set is not here: set DLCNB_DATA, or fetch it with `dlcnb demo --data openfield`"
        )
    return root


@pytest.fixture(scope="session")
def arena_project(tmp_path_factory):
    """A small synthetic project with exact labels, shared by tests that only read it."""
    from dlcnb import sampledata

    arena = sampledata.Arena(seed=3, n_frames=300)
    return sampledata.synthetic_project(tmp_path_factory.mktemp("arena"), n_label=16, seed=3, arena=arena)


@pytest.fixture(scope="session")
def trained(arena_project, tmp_path_factory):
    """A copy of that project after a short real training that finds the animal: ``(project, run)``; to be read only."""
    from support.projects import copy_of

    from dlcnb import TrainConfig, train

    project = copy_of(arena_project, tmp_path_factory.mktemp("trained"))
    config = TrainConfig(
        steps=200,
        train_fraction=0.75,
        crop_size=128,
        batch_size=4,
        input_scale=0.5,
        rotation=30.0,
        validation_fraction=0,
    )
    run = project.new_run(config.train_fraction)
    for _ in train(project, config, run=run):
        pass
    return project, run


@pytest.fixture
def own_cache(tmp_path_factory, monkeypatch):
    """The user's cache of video indices is neither read nor filled."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def mounted():
    """Context manager ``mounted(folder, options)``: a small or read-only tmpfs, where this user may mount one."""
    return _mounted


@contextmanager
def _mounted(folder, options):
    """A tmpfs on ``folder``, where this user may mount one."""
    folder.mkdir(exist_ok=True)
    mount = shutil.which("mount")
    if (
        not mount
        or subprocess.run([mount, "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True).returncode
    ):
        pytest.skip("needs the right to mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
