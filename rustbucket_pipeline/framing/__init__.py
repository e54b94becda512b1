"""Bytes → records (offset, length, time), with no meaning: the archive cuts with it, events parse with it."""
