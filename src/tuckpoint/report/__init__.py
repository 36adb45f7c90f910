"""Scores and records into pages and terminal text; computes nothing."""
