"""Scenes: 3D worlds drawn from a specification, into images with labels that no human can draw."""
