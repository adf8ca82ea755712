"""The command line: one command per verb. ``dlcnb COMMAND --help`` tells what each takes.

This process never imports MXNet: training, evaluation and analysis run as jobs (`dlcnb.jobs`).
"""

from dlcnb.cli import (
    analysis,
    behavior,
    demo,
    exchange,
    experiments,
    figures,
    lab,
    labeling,
    lessons,
    projects,
    refine,
    report,
    results,
    work,
    zones,
)
from dlcnb.cli.console import main

__all__ = [
    "analysis",
    "behavior",
    "demo",
    "exchange",
    "experiments",
    "figures",
    "lab",
    "labeling",
    "lessons",
    "main",
    "projects",
    "refine",
    "report",
    "results",
    "work",
    "zones",
]
