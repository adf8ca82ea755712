"""The network on MXNet/Gluon. This package alone imports mxnet; importing it loads MXNet.

The other names are imported on first use; `__init__.pyi` lists them.
"""

import lazy_loader

from dlcnb.backend.loading import mx as mx

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
