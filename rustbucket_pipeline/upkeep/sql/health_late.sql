-- By rustbucket, windows since :since whose newest report was made before the last of its logs came.
SELECT segments.rustbucket_id, count(DISTINCT built.window_start) AS windows, min(built.window_start) AS first
FROM window_builds AS built
JOIN segments ON segments.window_start >= built.window_start
    AND segments.window_start < built.window_start + interval '4 hours'
    AND segments.pulled_at > built.built_at
    AND segments.rustbucket_id <> 'BKT999999999999999999'
WHERE built.asset = 'log_analysis' AND built.window_start >= :since
GROUP BY segments.rustbucket_id
ORDER BY segments.rustbucket_id
