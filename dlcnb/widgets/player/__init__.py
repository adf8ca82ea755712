"""The player: any frame of a video, with poses on top."""
