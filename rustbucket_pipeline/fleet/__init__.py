"""Who is out there: the registry, its tokens, and how every rustbucket is. It never looks into a log."""
