"""Labelled folders of photographs: reading, what can be measured of a picture, and an embedding without a network."""
