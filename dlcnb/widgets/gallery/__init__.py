"""Pictures of labels, many at once."""
