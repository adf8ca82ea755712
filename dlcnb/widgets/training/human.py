"""How far apart two people's labels are, found beside a training monitor."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlcnb.labels.compare import Variability
    from dlcnb.project import Project

__all__ = ["tell_human"]

log = logging.getLogger(__name__)


def tell_human(project: Project, told: weakref.WeakMethod[Callable[[Variability], None]]) -> None:
    """Find the human variability on a thread, as reading all labels may take a while; who is told may end before."""

    def find() -> None:
        try:
            from dlcnb.evaluate import human_variability

            found = human_variability(project)
        except Exception as error:
            log.info("Human variability is not known: %s", error, exc_info=True)
            return
        show = told()
        if found is not None and show is not None:
            show(found)

    # no daemon: Python crashes where it ends while HDF5 reads, and now and then did
    threading.Thread(target=find, name="dlcnb-human-variability").start()
