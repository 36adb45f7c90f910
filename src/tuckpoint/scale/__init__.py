"""Runs the shards of a plan."""
