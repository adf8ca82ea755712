"""Two kernels at the outlier frames of one project at once: none loses what the other has done."""

import re
import subprocess
import sys

import numpy as np
import pytest
from support.projects import copy_of
from support.widgets import painted

from dlcnb import OutlierQueue, sampledata
from dlcnb.labels import LabelStore
from dlcnb.labels.journal import Edit
from dlcnb.outliers import machine_labels_path, merge, refinement, suggestions
from dlcnb.poses import Poses
from dlcnb.project import Project

FRAMES = 60
KERNEL = """
import sys
from dlcnb.labels import LabelStore
from dlcnb.labels.journal import Edit
from dlcnb.outliers import extract
from dlcnb.poses import Poses
from dlcnb.project import Project

project, poses = Project.open(sys.argv[1]), Poses.read(sys.argv[2])
store = LabelStore(project, project.videos[0].stem)
print("ready", flush=True)
sys.stdin.readline()
for frame in map(int, sys.argv[3:]):
    (image,) = extract(project, project.videos[0], poses, [frame]).images
    store.add_images()
    name = f"labeled-data/{image.parent.name}/{image.name}"
    store.apply([Edit(name, part, (frame + 0.5, 30.0)) for part in project.bodyparts])
    store.save()
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    arena = sampledata.Arena(seed=0, n_frames=FRAMES, size=(96, 128))
    project = sampledata.synthetic_project(tmp_path_factory.mktemp("tabs"), n_label=2, arena=arena)
    points = sampledata.arena_poses(arena)
    Poses(project.bodyparts, "DLC_test", points, np.full(points.shape[:2], 0.9)).write(project.videos[0])
    return project


@pytest.fixture
def project(made, tmp_path):
    return copy_of(made, tmp_path)


def free(project):
    """Numbers of frames that are not extracted yet."""
    there = {int(re.findall(r"\d+", path.name)[-1]) for path in project.labeled_dir("arena").glob("img*.png")}
    return [n for n in range(FRAMES) if n not in there]


def kernel(project, frames):
    poses = next(project.root.glob("videos/*DLC_test.h5"))
    line = [sys.executable, "-c", KERNEL, str(project.root), str(poses), *map(str, frames)]
    return subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_frames_that_two_kernels_extract_and_correct_at_once_are_all_there(project):
    wanted = free(project)[:24]
    kernels = [kernel(project, wanted[n::2]) for n in range(2)]
    for each in kernels:
        assert each.stdout.readline() == "ready\n"
    for each in kernels:
        each.stdin.write("\n")
        each.stdin.flush()
    for each in kernels:
        each.communicate(timeout=120)
        assert each.returncode == 0
    project = Project.open(project.root)
    marked = suggestions(project, "arena")[1]
    assert sorted(int(re.findall(r"\d+", image)[-1]) for image in marked) == wanted
    store = LabelStore(project, "arena")
    for image in marked:
        number = int(re.findall(r"\d+", image)[-1])
        np.testing.assert_array_equal(store.point(image), np.tile([number + 0.5, 30.0], (len(project.bodyparts), 1)))
    assert set(refinement(project)["arena"].values()) == {"done"}
    assert merge(project).refined == {"arena": len(wanted)}


def test_after_a_merge_elsewhere_nothing_goes_into_the_iteration_before_nor_is_it_merged_again(project):
    first, second, third = free(project)[:3]
    for queue in painted(OutlierQueue(project)):
        queue.add(second)
        other = Project.open(project.root)
        for tab in painted(OutlierQueue(other)):
            tab.add(first)
            tab.extract.click()
            assert tab.wait()
            image = tab.state.images[first]
            store = LabelStore(other, "arena")
            store.apply([Edit(image, part, (9.0, 9.0)) for part in other.bodyparts])
            store.save()
            tab.refresh()
            queue.refresh()
            assert not queue.merge.disabled
            tab.merge.click()
            assert tab.wait()
            assert Project.open(project.root).iteration == 1
        queue.merge.click()
        assert queue.failed
        assert "open the project again" in queue.said
        assert Project.open(project.root).iteration == 1
        assert queue.project.iteration == 0  # as it was read
        before = machine_labels_path(project, "arena").read_bytes()
        queue.extract.click()
        assert queue.wait()
        assert "iteration 1 has begun" in re.sub("<.*?>", "", queue.status_line.value)
        assert machine_labels_path(project, "arena").read_bytes() == before
        assert second in free(project)  # no image either
        assert queue.state.waiting == {second}  # it can be extracted when the project is opened again
    for queue in painted(OutlierQueue(Project.open(project.root))):
        queue.add(third)
        queue.extract.click()
        assert queue.wait()
        assert third in queue.state.images
        assert machine_labels_path(queue.project, "arena").name == "machinelabels-iter1.h5"
