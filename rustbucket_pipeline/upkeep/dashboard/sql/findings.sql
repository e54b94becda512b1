-- The first findings of the newest revision of these windows' reports, in the report's order, with what to do.
SELECT
    r.window_start,
    f.id,
    f.severity,
    left(f.title, 200) AS title,
    f.technique,
    left(f.why, 400) AS why,
    left(f.advice, 400) AS advice,
    f.events,
    jsonb_array_length(f.rustbuckets) AS rustbuckets
FROM (
    SELECT DISTINCT ON (window_start) window_start, report
    FROM log_analyses
    WHERE window_start = ANY(:windows)
    ORDER BY window_start, revision DESC
) AS r
CROSS JOIN LATERAL ROWS FROM (
    jsonb_to_recordset(r.report -> 'findings') AS (
        id text, severity text, title text, technique text, why text, advice text, events bigint, rustbuckets jsonb
    )
) WITH ORDINALITY AS f (id, severity, title, technique, why, advice, events, rustbuckets, place)
WHERE f.place <= :most
ORDER BY r.window_start DESC, f.place
