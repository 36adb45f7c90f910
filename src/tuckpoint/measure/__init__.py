"""Scores of a made table against real rows and an untouched holdout; the call for users is `tuckpoint.evaluate`."""
