"""dlcnb.jobs.analysis.cluster: analysis on real Dask workers, one of which is killed."""

import os
import signal
import sys

import pytest
from support.networks import network_project
from support.projects import write_noise

from dlcnb import jobs
from dlcnb.jobs.analysis.local import analyze_video
from dlcnb.jobs.analysis.plan import Settings

distributed = pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
pytestmark = [pytest.mark.mxnet, pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]

PARTS = ("snout", "tail")
SMALL = Settings(part=16)
TIMEOUT = 180


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with a network of random weights."""
    return network_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A client of two worker processes."""
    folder = str(tmp_path_factory.mktemp("dask"))
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", local_directory=folder
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def here(project):
    """here(video, output): the analysis without a cluster; the bytes of its tables."""
    from dlcnb import Predictor

    predictor = Predictor(project.last_run())

    def here(video, output):
        analyze_video(predictor, video, output, SMALL)
        return bytes_of(output)

    return here


def bytes_of(output):
    return [path.read_bytes() for path in (output, output.with_suffix(".csv"))]


LOADED = "len(__import__('dlcnb.jobs.analysis.cluster', fromlist=['cluster'])._loaded)"  # networks in a worker


class Events:
    """Like an EventLog; calls ``at(done)`` with every progress."""

    def __init__(self, at=lambda done: None):
        self.at, self.warnings = at, []

    def step(self, event, *, done, **_):
        self.at(done)

    def write(self, event, **fields):
        self.warnings.append(fields)


def test_a_killed_worker_changes_nothing(client, project, here, tmp_path):
    from dlcnb.jobs.analysis import cluster

    videos = [write_noise(tmp_path / "long.mp4", 200), write_noise(tmp_path / "short.mp4", 20)]
    expected = [here(video, tmp_path / f"{video.stem}-here.h5") for video in videos]
    killed = []

    def kill_one(done):
        if done and not killed:
            pids = client.run(os.getpid)
            killed.append(min(pids.values()))
            os.kill(killed[0], signal.SIGKILL)

    ending, result = cluster.analyze(client, project.last_run(), videos, SMALL, piece=16, events=Events(kill_one))
    assert ending == "done"
    assert killed
    assert result["failed"] == []
    for one, video, tables in zip(result["videos"], videos, expected, strict=True):
        assert one["video"] == str(video)
        assert type(video)(one["output"]).parent == tmp_path
        assert bytes_of(type(video)(one["output"])) == tables
    assert not list(tmp_path.glob(".dlcnb*"))
    assert max(client.run(eval, LOADED).values()) == 1  # one predictor per worker, kept for the next task


@pytest.mark.parametrize("how", [{"animals": 2}, {"dynamic": (0.3, 5.0)}])
def test_pieces_of_other_ways_give_the_same_tables(client, project, how, tmp_path):
    from dlcnb import Predictor
    from dlcnb.jobs.analysis import cluster

    settings = Settings(part=16, **how)
    video = write_noise(tmp_path / "a.mp4", 280)
    analyze_video(Predictor(project.last_run()), video, tmp_path / "here.h5", settings)
    ending, result = cluster.analyze(client, project.last_run(), [video], settings, piece=16)
    assert ending == "done"
    assert bytes_of(type(video)(result["videos"][0]["output"])) == bytes_of(tmp_path / "here.h5")


def test_a_bad_video_is_told_of_and_the_rest_done(client, project, tmp_path):
    from dlcnb.jobs.analysis import cluster

    bad, good = tmp_path / "bad.mp4", write_noise(tmp_path / "good.mp4", 20)
    bad.write_text("no video")
    events = Events()
    ending, result = cluster.analyze(client, project.last_run(), [bad, good], SMALL, events=events)
    assert ending == "done"
    assert [one["frames"] for one in result["videos"]] == [20]
    assert result["failed"][0]["video"] == str(bad)
    assert str(bad) in events.warnings[0]["message"]
    with pytest.raises(ValueError, match=r"bad\.mp4"):
        cluster.analyze(client, project.last_run(), [bad], SMALL)


def test_a_stopped_analysis_goes_on_on_one_machine(client, project, here, tmp_path):
    from dlcnb.jobs.analysis import cluster

    video = write_noise(tmp_path / "a.mp4", 800)
    expected = here(video, tmp_path / "here.h5")
    stop = []  # true once there is something in it

    def at(done):
        if done >= 16:
            stop.append(done)

    ending, result = cluster.analyze(client, project.last_run(), [video], SMALL, piece=16, events=Events(at), stop=stop)
    assert (ending, result["videos"]) == ("stopped", [])
    from dlcnb import Predictor

    predictor = Predictor(project.last_run())
    output = tmp_path / f"a{predictor.scorer}.h5"
    assert analyze_video(predictor, video, output, SMALL)["reused"] >= 16
    assert bytes_of(output) == expected


def test_a_job_takes_the_address_of_a_scheduler(client, project, tmp_path):
    video = write_noise(tmp_path / "a.mp4", 30)
    job = jobs.start("analyze", project, videos=[video], scheduler=client.scheduler.address)
    assert job.wait(TIMEOUT) == "done", job.error
    (one,) = job.result["videos"]
    assert one["frames"] == 30
    assert [e["done"] for e in job.events() if e["event"] == "progress"][-1] == 30


def test_a_network_that_is_not_there_is_told_of(client, project, tmp_path):
    from dlcnb.jobs.analysis import cluster

    video = write_noise(tmp_path / "a.mp4", 10)
    with pytest.raises(ValueError, match="No snapshot"):
        cluster.analyze(client, project.last_run(), [video], SMALL, snapshot=7)


def test_without_a_scheduler_the_address_is_named():
    from dlcnb.jobs.analysis import cluster

    with (
        pytest.raises(cluster.ClusterError, match=r"scheduler at tcp://127\.0\.0\.1:9, found none"),
        cluster.connect("tcp://127.0.0.1:9", timeout=1),
    ):
        pass


def test_without_dask_the_extra_is_named(monkeypatch):
    from dlcnb.jobs.analysis import cluster

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r"pip install 'dlcnb\[dask\]'"), cluster.connect("tcp://127.0.0.1:9"):
        pass
