"""Families of things: numbers in, a mesh out; one file a shelf of alike ones."""
