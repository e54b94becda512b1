-- The lines of the session that a cluster is shown by.
SELECT w.fingerprint, p.command_lines, p.request_lines
FROM window_clusters AS w
INNER JOIN session_parts AS p
    ON p.hour = w.example_hour AND p.rustbucket_id = w.example_rustbucket AND p.number = w.example_number
WHERE w.fingerprint = ANY(CAST(:fingerprints AS text []))
