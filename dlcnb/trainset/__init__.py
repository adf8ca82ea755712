"""Labels -> examples: the training configuration, the split into train and test, and the frames themselves."""

from dlcnb.trainset.config import (
    BACKBONES,
    KVSTORES,
    OPTIMIZERS,
    PRECISIONS,
    PRESETS,
    WEIGHTS_SOURCES,
    TrainConfig,
    is_kept,
    kept_steps,
    merged,
)
from dlcnb.trainset.data import Split, TrainSet, choose_split, folds, leave_one_video_out, resize, split
from dlcnb.trainset.plan import Plan, plan
from dlcnb.trainset.sides import mirror_order

__all__ = [
    "BACKBONES",
    "KVSTORES",
    "OPTIMIZERS",
    "PRECISIONS",
    "PRESETS",
    "WEIGHTS_SOURCES",
    "Plan",
    "Split",
    "TrainConfig",
    "TrainSet",
    "choose_split",
    "folds",
    "is_kept",
    "kept_steps",
    "leave_one_video_out",
    "merged",
    "mirror_order",
    "plan",
    "resize",
    "split",
]
