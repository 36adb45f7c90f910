"""A user's own mechanistic model: its contract, calibration to real rows, and the guard that admits it or not."""
