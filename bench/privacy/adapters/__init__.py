"""Programs of other makers, each run in its own environment."""
