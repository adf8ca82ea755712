"""Google Colab: what its runtime lacks for dlcnb, added without changing anything that is there."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Sequence

from dlcnb.machine import gpus

__all__ = ["missing", "offer", "setup"]

MXNET = "mxnet==1.9.1"


def setup(gpu: bool = False) -> None:
    """Make a Colab runtime ready: MXNet, and widgets that show. Anywhere else, and a second time, this does nothing.

    MXNet goes in without what its wheel asks for, so that nothing of Colab's is replaced and no restart is needed.

    Parameters
    ----------
    gpu : bool
        Install MXNet's CUDA build and the CUDA 11 libraries that it needs (3 GB) in place of the CPU build. Without it
        a line tells whether the runtime has a card for which that would pay.

    Raises
    ------
    RuntimeError
        If pip fails, or if ``gpu`` is asked for where no card can be used, or when MXNet is loaded already.
    """
    if "google.colab" not in sys.modules:
        return
    cards = gpus.find_gpus()
    usable = any(gpus.problem(card, with_cuda=True) is None for card in cards)
    if gpu and not usable:
        raise RuntimeError(f"No GPU for MXNet here. {offer(cards, usable, False)}")
    commands = missing(importlib.util.find_spec("mxnet") is not None, gpus.cuda_build() is not None, gpu)
    if commands and "mxnet" in sys.modules:
        raise RuntimeError("MXNet is loaded already. Restart the runtime, then call setup(gpu=True) first of all.")
    for command in commands:
        _pip(command)
    importlib.invalidate_caches()
    importlib.import_module("google.colab.output").enable_custom_widget_manager()
    _show(f"dlcnb is ready. {offer(cards, usable, gpus.cuda_build() is not None)}")


def missing(mxnet: bool, cuda: bool, gpu: bool) -> list[list[str]]:
    """The arguments of pip that bring what is not there.

    Parameters
    ----------
    mxnet : whether any build of MXNet is installed.
    cuda : whether that is a CUDA build.
    gpu : whether a CUDA build is wanted.
    """
    if not gpu:
        return [] if mxnet else [["install", "--no-deps", MXNET]]
    if cuda:
        return []
    libraries = list(dict.fromkeys(package for _, _, package in gpus.CUDA_PACKAGES))
    away = [["uninstall", "--yes", "mxnet"]] if mxnet else []
    return [*away, ["install", "--no-deps", f"{gpus.CUDA_BUILDS[0]}==1.9.1", *libraries]]


def offer(cards: Sequence[gpus.Gpu], usable: bool, cuda: bool) -> str:
    """One sentence about the graphics cards of a runtime and what is to be gained by them."""
    if not cards:
        return "There is no graphics card, and none is needed: the default network learns on the CPU."
    name = cards[0].name
    if not usable:
        return f"MXNet can't use the {name}; the default network learns on the CPU."
    if cuda:
        return f"Training uses the {name}."
    return f"To train on the {name}: dlcnb.colab.setup(gpu=True), which installs 3 GB. The CPU will do as well."


def _show(line: str) -> None:
    """Show a line below the cell."""
    from IPython.display import display  # which Colab has loaded; `missing` and `offer` need none of it

    display({"text/plain": line}, raw=True)


def _pip(arguments: Sequence[str]) -> None:
    line = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(line, capture_output=True, text=True)
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise RuntimeError(
            f"pip {' '.join(arguments[:2])} failed: {words}. Run the cell again, or look at its network."
        )
