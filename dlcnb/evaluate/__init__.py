"""How far predictions lie from labels: errors in pixels, summaries, confidence intervals, files."""

from dlcnb.evaluate.core import Evaluation
from dlcnb.evaluate.summary import ErrorSummary, bootstrap_ci, errors, summarize

__all__ = ["ErrorSummary", "Evaluation", "bootstrap_ci", "errors", "summarize"]
