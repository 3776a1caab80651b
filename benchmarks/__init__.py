"""Measurements, as ratios from one interleaved run: `make bench`; nothing here asserts a time."""
