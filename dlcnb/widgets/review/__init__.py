"""Labels looked at again: the oddest first, and people compared."""
