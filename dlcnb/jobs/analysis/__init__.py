"""The analysis of videos: planned, done here or on a cluster, in parts that survive a crash."""
