-- The newest revision of each window's report, and what its digest counted, by days before :until.
WITH reported AS (
    SELECT DISTINCT ON (window_start) window_start, revision, severity
    FROM log_analyses
    WHERE window_start >= :since AND window_start < :until
    ORDER BY window_start, revision DESC
),
found AS (
    SELECT r.window_start, count(*) AS findings
    FROM reported AS r
    INNER JOIN findings AS f ON f.window_start = r.window_start AND f.revision = r.revision
    GROUP BY r.window_start
)
SELECT
    (extract(epoch FROM :until - r.window_start)::bigint - 1) / 86400 AS ago,
    count(*) AS windows_reported,
    count(*) FILTER (WHERE r.severity IN ('high', 'critical')) AS windows_severe,
    coalesce(sum(f.findings), 0) AS findings,
    coalesce(sum((d.digest -> 'clusters' ->> 'sessions')::bigint), 0) AS sessions,
    coalesce(sum((d.digest -> 'clusters' ->> 'new')::bigint), 0) AS behaviours_new,
    coalesce(sum((d.digest -> 'indicators' ->> 'new')::bigint), 0) AS indicators_new
FROM reported AS r
LEFT JOIN found AS f ON f.window_start = r.window_start
LEFT JOIN window_digests AS d ON d.window_start = r.window_start
GROUP BY ago
