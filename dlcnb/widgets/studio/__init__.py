"""Everything in one panel."""
