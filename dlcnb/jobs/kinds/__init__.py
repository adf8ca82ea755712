"""What a worker can do, a module each; a new kind of job is a module with its `Kind`, and its place in this list."""

from __future__ import annotations

from dlcnb.jobs.kinds import analyze, evaluate, export, suggest, train, trial
from dlcnb.jobs.kinds.kind import Kind

__all__ = ["KINDS", "Kind"]

KINDS = {kind.name: kind for kind in (train.KIND, evaluate.KIND, analyze.KIND, suggest.KIND, export.KIND, trial.KIND)}
