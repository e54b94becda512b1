"""Log bytes: from where rustbuckets leave them into the archive, unchanged and provable. No meaning of records here."""
