"""DeepLabCut in the notebook: frames, labels, training, trajectories as Jupyter widgets, on MXNet.

Names are imported on first use, so ``import dlcnb`` is quick and never loads MXNet. `__init__.pyi` lists them, for
editors and type checkers too.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
