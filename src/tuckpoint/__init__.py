"""Synthetic training data: find the gap, make what fills it, prove what it bought."""
