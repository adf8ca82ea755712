from .choice import following
from .devices import pick_device
from .loading import mx
from .predict import Predictor, evaluate_run
from .train import TrainStep, train
from .videos import predict_video, write_score_maps

__all__ = [
    "Predictor",
    "TrainStep",
    "evaluate_run",
    "following",
    "mx",
    "pick_device",
    "predict_video",
    "train",
    "write_score_maps",
]
