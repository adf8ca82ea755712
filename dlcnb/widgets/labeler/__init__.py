"""The labeler: click bodyparts on frames."""
