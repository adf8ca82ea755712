"""What a worker can do, a module each. `WORK` has the function ``(job, events, stop)`` of every kind."""

from dlcnb.jobs.kinds.analyze import analyze
from dlcnb.jobs.kinds.evaluate import evaluate
from dlcnb.jobs.kinds.export import export
from dlcnb.jobs.kinds.suggest import suggest
from dlcnb.jobs.kinds.train import train
from dlcnb.jobs.kinds.trial import trial

__all__ = ["WORK"]

WORK = {"train": train, "evaluate": evaluate, "analyze": analyze, "trial": trial, "suggest": suggest, "export": export}
