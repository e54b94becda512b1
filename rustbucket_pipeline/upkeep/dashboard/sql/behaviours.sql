-- Behaviours that were new in these windows, each once, the gravest first.
SELECT fingerprint, window_start, protocol, steps, severity, sessions, sources, rustbuckets
FROM (
    SELECT DISTINCT ON (fingerprint)
        fingerprint,
        window_start,
        protocol,
        trim_array(steps, greatest(cardinality(steps) - 5, 0)) AS steps,
        severity,
        sessions,
        sources,
        rustbuckets,
        array_position(ARRAY['critical', 'high', 'medium', 'low', 'info'], severity) AS grade
    FROM clusters
    WHERE is_new AND window_start >= :since AND window_start < :until
    ORDER BY fingerprint, window_start
) AS first_seen
ORDER BY grade, sessions DESC, fingerprint
LIMIT :most
