"""Measures: one file each, pure functions from arrays to small frozen records."""
