"""DeepLabCut's tables (h5 and csv), read and written without executing anything in them."""
