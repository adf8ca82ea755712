"""Video files: frame *i* exactly, for any container; decoding in order beside the caller; writing.

Frames are uint8 ``(H, W, 3)`` RGB, upright (a rotation flag is applied), numbered from 0 in the order they are shown.
"""

from dlcnb.video.cropped import CroppedVideo
from dlcnb.video.errors import DamagedFrameError, VideoError
from dlcnb.video.reader import VideoReader
from dlcnb.video.recording import remux
from dlcnb.video.writer import VideoWriter

__all__ = ["VIDEO_SUFFIXES", "CroppedVideo", "DamagedFrameError", "VideoError", "VideoReader", "VideoWriter", "remux"]

VIDEO_SUFFIXES = (
    ".mp4", ".avi", ".mov", ".mkv", ".m4v", ".webm", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".asf", ".flv",
    ".f4v", ".mjpeg", ".mjpg", ".h264", ".264", ".h265", ".265", ".hevc", ".3gp", ".3g2", ".qt", ".mpv", ".m1v", ".m2v",
    ".vob", ".ogv", ".y4m", ".mxf", ".dv", ".ivf", ".nut", ".obu", ".dav", ".mod", ".tod", ".divx", ".xvid", ".mpe",
    ".m2p", ".m2t", ".tp", ".trp", ".ogm", ".rm", ".rmvb", ".mp4v", ".amv", ".mj2", ".wtv", ".vro", ".insv", ".lrv",
)  # fmt: skip
