"""Volumes and photographs with findings, read and written with their geometry, as clinics and trainers want them."""
