"""Attacks that a made table must withstand, one file each."""
