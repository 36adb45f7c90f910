"""Verbs of the command line that have verbs of their own: one file each, what can be said and what is done."""
