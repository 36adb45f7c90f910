"""Engines, one file each; every one has a row in the parts table."""
