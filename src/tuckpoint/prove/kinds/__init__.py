"""Kinds of sources, each one file and one row in the parts table."""
