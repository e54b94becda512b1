"""The parser's version: raise it whenever the same bytes would give other rows, so that hours become stale."""

PARSER_VERSION = 4
"""Kept with every row and in every build's inputs."""
