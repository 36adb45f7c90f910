"""Annotators: one file a label; each tells what its numbers mean."""
