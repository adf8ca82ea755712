"""What is said of GPUs, from given facts: usable or not, why, and the cure."""

import ctypes.util
import shutil
from pathlib import Path

import pytest

from dlcnb.machine import gpus
from dlcnb.machine.gpus import Gpu, problem

T4, A10, L4, H100 = Gpu("Tesla T4", (7, 5)), Gpu("A10", (8, 6)), Gpu("L4", (8, 9)), Gpu("H100", (9, 0))
KEPLER, UNKNOWN = Gpu("Tesla K80", (3, 7)), Gpu("GPU", None)


@pytest.mark.parametrize("gpu", [T4, A10, L4, UNKNOWN, Gpu("M40", (5, 2)), Gpu("P100", (6, 0)), Gpu("A100", (8, 0))])
def test_gpus_that_mxnet_has_code_for_can_be_used(gpu):
    assert problem(gpu, with_cuda=True) is None


@pytest.mark.parametrize("gpu", [H100, KEPLER, Gpu("B200", (10, 0)), Gpu("RTX 5090", (12, 0))])
@pytest.mark.parametrize("with_cuda", [True, False])
def test_an_architecture_without_code_is_said_whatever_is_installed(gpu, with_cuda):
    text = problem(gpu, with_cuda)
    assert gpu.name in text
    assert ".".join(map(str, gpu.capability)) in text
    assert "CPU" in text
    assert "pip install" not in text  # no build would help


def test_the_cpu_build_on_a_gpu_machine_names_the_command():
    text = problem(T4, with_cuda=False)
    assert "CPU build" in text
    assert "pip uninstall -y mxnet && pip install mxnet-cu117==1.9.1" in text
    assert all(f" {package}" in text for _, _, package in gpus.CUDA_PACKAGES)


def test_a_gpu_that_is_not_there_or_not_seen():
    assert "no such" in problem(None, with_cuda=True)
    assert "driver" in problem(T4, with_cuda=True, counted=False)


def test_the_drivers_table_is_read():
    text = "NVIDIA A10, 8.6\nNVIDIA GeForce RTX 4090, D, 8.9\nOld, [N/A]\n"
    assert gpus._parsed(text) == [
        Gpu("NVIDIA A10", (8, 6)),
        Gpu("NVIDIA GeForce RTX 4090, D", (8, 9)),
        Gpu("Old", None),
    ]


def test_the_drivers_own_files_are_read(tmp_path):
    for bus, name in (("0000:02:00.0", "Tesla V100"), ("0000:01:00.0", "Tesla T4")):
        (tmp_path / bus).mkdir()
        (tmp_path / bus / "information").write_text(f"Model: \t\t {name}\nIRQ: 4\n")
    assert [gpu.name for gpu in gpus._from_proc(tmp_path)] == ["Tesla T4", "Tesla V100"]


@pytest.mark.parametrize(
    ("wanted", "left"),
    [(None, [T4, H100]), ("", []), ("1", [H100]), ("1,0", [H100, T4]), ("0,7,1", [T4]), ("-1", []), ("GPU-8f3", [T4])],
)
def test_hidden_gpus_do_not_count(wanted, left):
    assert gpus._visible([T4, H100], wanted) == left


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("libcuda.so.1: cannot open shared object file", "pip install mxnet==1.9.1"),
        ("libcudnn.so.8: cannot open shared object file", "pip install nvidia-cudnn-cu11==8.9.6.50"),
        ("libcudart.so.11.0: cannot open", "nvidia-cuda-runtime-cu11"),
        ("No module named 'mxnet'", "--no-deps"),
    ],
)
def test_what_mxnet_lacks_at_import_has_a_cure(text, cure):
    assert cure in gpus.explain_import(text, "mxnet-cu117")


def test_without_the_cuda_build_a_missing_library_is_not_blamed_on_it():
    assert "CUDA" not in gpus.explain_import("libgomp.so.1: cannot open", None)


def test_libraries_that_pip_installed_are_loaded(tmp_path):
    library = ctypes.util.find_library("z")
    source = next((p for p in Path("/").glob(f"lib*/**/{library}") if p.is_file()), None) if library else None
    if source is None:
        pytest.skip("no small shared library at hand")
    target = tmp_path / "nvidia" / "cuda_runtime" / "lib" / "libcudart.so.11.0"
    target.parent.mkdir(parents=True)
    shutil.copyfile(source, target)
    assert gpus.preload_cuda(tmp_path) == [target]


# --- the choice of a device


@pytest.mark.mxnet
@pytest.mark.parametrize(
    ("with_cuda", "counted", "found", "chosen"),
    [
        (False, 0, [], ("cpu", 0)),
        (False, 0, [T4], ("cpu", 0)),
        (True, 1, [T4], ("gpu", 0)),
        (True, 1, [H100], ("cpu", 0)),
        (True, 2, [H100, A10], ("gpu", 1)),
        (True, 1, [], ("gpu", 0)),
    ],
)
def test_auto_takes_the_first_gpu_that_works(with_cuda, counted, found, chosen):
    from dlcnb.backend.devices import Machine, choose

    assert choose("auto", Machine(with_cuda, counted, found)) == chosen


@pytest.mark.mxnet
def test_a_gpu_that_was_asked_for_and_does_not_work_is_an_error():
    from dlcnb.backend.devices import Machine, choose

    assert choose("gpu(1)", Machine(True, 2, [H100, A10])) == ("gpu", 1)
    with pytest.raises(ValueError, match=r"gpu\(0\).*H100"):
        choose("gpu(0)", Machine(True, 2, [H100, A10]))
    with pytest.raises(ValueError, match="mxnet-cu117"):
        choose("gpu", Machine(False, 0, [A10]))
    with pytest.raises(ValueError, match="no such"):
        choose("gpu(2)", Machine(True, 2, [H100, A10]))


@pytest.mark.mxnet
def test_half_precision_is_for_gpus_with_tensor_cores():
    from dlcnb.backend import mx
    from dlcnb.backend.devices import Machine, low_precision

    pascal, t4 = Machine(True, 1, [Gpu("P100", (6, 0))]), Machine(True, 1, [T4])
    assert low_precision("auto", [mx.gpu(0)], t4) == low_precision("fp16", [mx.gpu(0)], t4) == "float16"
    assert low_precision("auto", [mx.gpu(0)], pascal) is None
    assert low_precision("auto", [mx.cpu()]) is None
    assert low_precision("fp32", [mx.gpu(0)], t4) is None
    with pytest.raises(ValueError, match="fp32"):
        low_precision("fp16", [mx.cpu()])


@pytest.mark.parametrize(
    ("name", "found", "providers", "card"),
    [
        ("auto", [H100], ["CUDAExecutionProvider", "CPUExecutionProvider"], 0),
        ("auto", [H100], ["CPUExecutionProvider"], None),
        ("auto", [], ["CUDAExecutionProvider", "CPUExecutionProvider"], None),
        ("gpu(1)", [T4, H100], ["CUDAExecutionProvider", "CPUExecutionProvider"], 1),
        ("cpu", [H100], ["CUDAExecutionProvider", "CPUExecutionProvider"], None),
    ],
)
@pytest.mark.mxnet
def test_onnx_runtime_takes_any_card_that_its_build_can(name, found, providers, card):
    from dlcnb.backend.devices import pick_card

    assert pick_card(name, providers, found) == card


@pytest.mark.mxnet
@pytest.mark.parametrize(
    ("name", "found", "cure"),
    [
        ("gpu(0)", [H100], r"CPU build.*dlcnb\[onnx-gpu\]"),
        ("gpu(1)", [H100], "no such NVIDIA GPU"),
        ("gpu(0),gpu(1)", [H100, H100], "Expected auto, cpu, gpu"),
    ],
)
def test_a_card_that_onnx_runtime_does_not_get_is_an_error_with_its_cure(name, found, cure):
    from dlcnb.backend.devices import pick_card

    with pytest.raises(ValueError, match=cure):
        pick_card(name, ["CPUExecutionProvider"], found)
