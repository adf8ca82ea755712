"""Which NVIDIA GPUs this machine has, whether the installed MXNet can use them, and what to do if it can't."""

from __future__ import annotations

import ctypes
import importlib.metadata
import logging
import os
import re
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "Gpu",
    "cuda_build",
    "explain_import",
    "find_gpus",
    "install_command",
    "is_device",
    "preload_cuda",
    "problem",
]

log = logging.getLogger(__name__)

ARCHITECTURES = ((5, 0), (6, 0), (7, 0), (8, 0), (8, 6))  # compute capabilities that MXNet 1.9.1 carries code for
TENSOR_CORES = (7, 0)  # from here on half precision is faster
CUDA_BUILDS = ("mxnet-cu117", "mxnet-cu112")
CUDA_PACKAGES = (  # what libmxnet links against, in the order in which the libraries need each other
    ("cuda_runtime", "libcudart.so.11.0", "nvidia-cuda-runtime-cu11==11.8.89"),
    ("cuda_nvrtc", "libnvrtc.so.11.2", "nvidia-cuda-nvrtc-cu11==11.8.89"),
    ("nvtx", "libnvToolsExt.so.1", "nvidia-nvtx-cu11==11.8.86"),
    ("cublas", "libcublasLt.so.11", "nvidia-cublas-cu11==11.11.3.6"),
    ("cublas", "libcublas.so.11", "nvidia-cublas-cu11==11.11.3.6"),
    ("cufft", "libcufft.so.10", "nvidia-cufft-cu11==10.9.0.58"),
    ("curand", "libcurand.so.10", "nvidia-curand-cu11==10.3.0.86"),
    ("cusparse", "libcusparse.so.11", "nvidia-cusparse-cu11==11.7.5.86"),
    ("cusolver", "libcusolver.so.11", "nvidia-cusolver-cu11==11.4.1.48"),
    ("nccl", "libnccl.so.2", "nvidia-nccl-cu11==2.21.5"),
    ("cudnn", "libcudnn.so.8", "nvidia-cudnn-cu11==8.9.6.50"),
)


@dataclass(frozen=True)
class Gpu:
    """A GPU of this machine; ``capability`` is its compute capability, such as (8, 6), None = not known."""

    name: str
    capability: tuple[int, int] | None


def is_device(name: str) -> bool:
    """Whether this is how devices are named: auto, cpu, gpu(0), or several: gpu(0),gpu(1)."""
    part = r"(cpu|gpu)(\(\d+\))?"
    return re.fullmatch(rf"auto|{part}( *, *{part})*", name) is not None


def find_gpus() -> list[Gpu]:
    """The GPUs that the NVIDIA driver shows to this process, in its order; none without a driver."""
    found = _from_driver_tool() or _from_proc()
    return _visible(found, os.environ.get("CUDA_VISIBLE_DEVICES"))


def cuda_build() -> str | None:
    """Name of the installed CUDA build of MXNet, or None."""
    return next((name for name in CUDA_BUILDS if _is_installed(name)), None)


def problem(gpu: Gpu | None, with_cuda: bool, *, counted: bool = True) -> str | None:
    """Why MXNet can't use a GPU, and the cure, in one message; None if it can.

    Parameters
    ----------
    gpu : Gpu, or None where there is none.
    with_cuda : whether the installed MXNet is a CUDA build.
    counted : whether that MXNet sees the GPU.
    """
    if gpu is None:
        return "There is no such NVIDIA GPU. Use cpu or auto."
    if gpu.capability is not None and not _has_code(gpu.capability):
        capability = ".".join(map(str, gpu.capability))
        return (
            f"MXNet 1.9.1 can't use the {gpu.name}: it has code for compute capability 5.0 to 8.9, and this card has "
            f"{capability}. No build of MXNet can, so train on the CPU (cpu), or on another GPU "
            "(V100, T4, A100, A10, L4, RTX 20 to 40). Analysis can use this card: --engine onnx, see docs/gpu.md."
        )
    if not with_cuda:
        return (
            f"The installed MXNet is the CPU build, which can't use the {gpu.name}. Install the CUDA build: "
            f"{install_command()}"
        )
    if not counted:
        return (
            f"MXNet does not see the {gpu.name}. The driver must be for CUDA 11.8 or later (nvidia-smi shows it), and "
            "CUDA_VISIBLE_DEVICES must not hide it."
        )
    return None


def install_command() -> str:
    """What puts the CUDA build of MXNet, and the libraries that it needs, in place of the CPU build."""
    packages = dict.fromkeys(package for _, _, package in CUDA_PACKAGES)
    return f"pip uninstall -y mxnet && pip install {CUDA_BUILDS[0]}==1.9.1 {' '.join(packages)}"


def preload_cuda(folder: str | os.PathLike[str] | None = None) -> list[Path]:
    """Load the CUDA libraries that pip has installed, so that libmxnet finds them; returns the paths that loaded.

    MXNet's CUDA builds look for them only where the system does. ``folder``: site-packages.
    """
    loaded = []
    for package, library, _ in CUDA_PACKAGES:
        path = Path(folder or sysconfig.get_path("platlib")) / "nvidia" / package / "lib" / library
        if not path.is_file():
            continue
        try:
            ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)
            loaded.append(path)
        except OSError as error:
            log.warning("%s could not be loaded: %s", path, error)
    return loaded


def explain_import(text: str, build: str | None) -> str:
    """What to do when MXNet could not be loaded; ``text`` is the error's, ``build`` that of `cuda_build`."""
    missing = re.search(r"(lib\w+)\.so[.\d]*", text)
    if build and missing and missing[1] == "libcuda":
        return (
            f"The installed MXNet is the CUDA build ({build}), which does not load without NVIDIA's driver. Install "
            f"the driver, or the CPU build: pip uninstall -y {build} && pip install mxnet==1.9.1"
        )
    if build and missing:
        packages = {library.split(".")[0]: package for _, library, package in CUDA_PACKAGES}
        if missing[1] in packages:
            return f"A CUDA library is missing. Install it: pip install {packages[missing[1]]}"
    return (
        "MXNet has wheels for Linux and for Intel Macs; on Python 3.13 or NumPy 2 install it with "
        "`pip install --no-deps mxnet==1.9.1 graphviz requests`. Everything but the network works without MXNet."
    )


def _has_code(capability: tuple[int, int]) -> bool:
    """Compiled code runs on its own compute capability and on later ones of the same first number."""
    return any(capability[0] == major and capability[1] >= minor for major, minor in ARCHITECTURES)


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
        return True
    except importlib.metadata.PackageNotFoundError:
        return False


def _from_driver_tool() -> list[Gpu]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    line = [tool, "--query-gpu=name,compute_cap", "--format=csv,noheader"]
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        log.info("nvidia-smi does not answer: %s", error)
        return []
    return _parsed(done.stdout)


def _parsed(text: str) -> list[Gpu]:
    """The table of nvidia-smi; old ones don't know ``compute_cap``."""
    found = []
    for line in text.splitlines():
        name, _, capability = line.rpartition(",")
        match = re.fullmatch(r"(\d+)\.(\d+)", capability.strip())
        if name:
            found.append(Gpu(name.strip(), (int(match[1]), int(match[2])) if match else None))
    return found


def _from_proc(folder: str | os.PathLike[str] = "/proc/driver/nvidia/gpus") -> list[Gpu]:
    """What the driver itself lists: names, in the order of the bus."""
    found = []
    for path in sorted(Path(folder).glob("*/information")):
        match = re.search(r"^Model:\s*(.+)$", path.read_text(errors="replace"), re.MULTILINE)
        found.append(Gpu(match[1].strip() if match else "NVIDIA GPU", None))
    return found


def _visible(found: list[Gpu], wanted: str | None) -> list[Gpu]:
    """Those that CUDA_VISIBLE_DEVICES leaves; one that is named otherwise than by number may be any."""
    if wanted is None:
        return found
    chosen: list[Gpu | None] = []
    for number in (part.strip() for part in wanted.split(",") if part.strip()):
        if not number.isdigit():
            chosen.append(found[len(chosen)] if len(chosen) < len(found) and not number.startswith("-") else None)
        elif int(number) < len(found):
            chosen.append(found[int(number)])
        else:
            break  # CUDA itself stops at the first that is not there
    return [gpu for gpu in chosen if gpu is not None]
