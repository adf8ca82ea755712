"""The analysis of videos: planned, done here or on a cluster, in parts that survive a crash."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=["cluster"])  # what it needs may be missing
