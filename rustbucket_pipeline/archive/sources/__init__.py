"""Where rustbuckets leave their logs: a directory, an S3 prefix, or their own HTTP endpoint. One file each.

A source lists complete files and reads them from an offset. It never interprets a byte and never trusts a time.
"""
