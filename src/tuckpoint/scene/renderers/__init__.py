"""Renderers: a stage in, buffers out."""
