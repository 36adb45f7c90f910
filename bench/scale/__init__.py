"""Figures of the shard runner."""
