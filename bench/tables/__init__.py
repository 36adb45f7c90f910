"""The table bench: the same rows, the same seeds and one scorer for tuckpoint and for each peer."""
