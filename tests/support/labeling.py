"""A small project with extracted frames, for the tests of the labeler."""

import numpy as np

from dlcnb import frames
from dlcnb.project import Project
from dlcnb.video import VideoWriter

SIZE, COUNT = (96, 128), 6
BODYPARTS = ("snout", "leftear", "rightear", "tailbase")


def make_project(parent, videos=("m1", "m2"), size=SIZE, count=COUNT):
    """A project whose videos have ``count`` frames each, all extracted; grey pictures that say their number."""
    paths = []
    for number, name in enumerate(videos):
        paths.append(parent / f"{name}.mp4")
        with VideoWriter(paths[-1], size, 30, crf=5) as writer:
            for frame in range(count):
                image = np.full((*size, 3), 90, np.uint8)
                image[:16, 16 * frame : 16 * frame + 16] = 230 - 100 * number
                writer.write(image)
    edges = [("snout", "leftear"), ("snout", "rightear"), ("leftear", "tailbase")]
    project = Project.create("reach", "ada", paths, BODYPARTS, parent=parent, skeleton=edges)
    for path in project.videos:
        frames.extract(project, path, range(count))
    return project
