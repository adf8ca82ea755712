"""Training, watched."""
