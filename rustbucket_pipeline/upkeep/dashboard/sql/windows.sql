-- The newest revision of each window's report, newest window first, and what its digest counted.
SELECT
    r.window_start,
    r.severity,
    r.status,
    r.completeness,
    r.headline,
    r.summary,
    r.recommendations,
    (SELECT count(*) FROM findings AS f WHERE f.window_start = r.window_start AND f.revision = r.revision) AS findings,
    coalesce((d.digest -> 'totals' ->> 'events')::bigint, 0) AS events,
    coalesce((d.digest -> 'clusters' ->> 'sessions')::bigint, 0) AS sessions
FROM (
    SELECT DISTINCT ON (window_start)
        window_start,
        revision,
        severity,
        status,
        left(completeness, 400) AS completeness,
        left(report ->> 'headline', 400) AS headline,
        left(report -> 'prose' ->> 'summary', 1200) AS summary,
        CASE
            WHEN jsonb_typeof(report -> 'prose' -> 'recommendations') = 'array'
                THEN ARRAY(
                    SELECT left(one, 400)
                    FROM jsonb_array_elements_text(report -> 'prose' -> 'recommendations') AS one
                    LIMIT 5
                )
            ELSE '{}'
        END AS recommendations
    FROM log_analyses
    WHERE window_start >= :since
    ORDER BY window_start, revision DESC
) AS r
LEFT JOIN window_digests AS d ON d.window_start = r.window_start
ORDER BY r.window_start DESC
