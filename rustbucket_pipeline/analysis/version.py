"""Versions of the analysis' own code: raise one, and every window built with another is due again."""

DIGEST_VERSION = "4"
"""Of the digest: its SQL and its shape."""

REPORT_VERSION = "3"
"""Of the report: rules, prompt, verification and shape."""
