import os

import pytest

from dlcnb.machine import processors

CPUS = {
    "zen 4": "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC 9R14\n",
    "zen 5": "vendor_id\t: AuthenticAMD\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC 9R45\n",
    "intel": "vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\nmodel name\t: Intel(R) Xeon(R)\n",
}


@pytest.fixture
def cpu(tmp_path, monkeypatch):
    """A function that makes this machine one with another processor."""
    for name in ("DNNL_MAX_CPU_ISA", "MXNET_CPU_TEMP_COPY"):
        monkeypatch.setenv(name, "")  # so that it is as it was afterwards
        monkeypatch.delenv(name)

    def become(name):
        path = tmp_path / "cpuinfo"
        path.write_text(CPUS[name] + "\n" + CPUS["intel"])  # only the first processor counts
        monkeypatch.setattr(processors, "_CPUINFO", path)

    return become


@pytest.mark.parametrize(
    ("name", "engine", "wanted"),
    [("zen 4", "fp32", "AVX2"), ("zen 4", "int8", None), ("zen 5", "fp32", None), ("intel", "fp32", None)],
)
def test_only_fp32_on_zen_4_takes_other_kernels(cpu, name, engine, wanted):
    cpu(name)
    processors.prepare_to_predict(engine)
    assert os.environ.get("DNNL_MAX_CPU_ISA") == wanted
    assert os.environ["MXNET_CPU_TEMP_COPY"] == "32"


def test_what_the_user_set_goes_first(cpu, monkeypatch):
    cpu("zen 4")
    monkeypatch.setenv("DNNL_MAX_CPU_ISA", "ALL")
    processors.prepare_to_predict("fp32")
    assert os.environ["DNNL_MAX_CPU_ISA"] == "ALL"


def test_the_kind_names_the_processor(cpu, monkeypatch, tmp_path):
    cpu("zen 4")
    assert processors.kind() == "AMD EPYC 9R14 25 17"
    monkeypatch.setattr(processors, "_CPUINFO", tmp_path / "none")
    assert isinstance(processors.kind(), str)
