-- Indicators and behaviours of two windows: how many only the earlier holds, only the later, and both.
WITH held AS (
    SELECT 'indicators' AS what, type || ' ' || value AS key, window_start FROM indicators WHERE window_start IN (:before, :after)
    UNION ALL
    SELECT 'behaviours', fingerprint, window_start FROM clusters WHERE window_start IN (:before, :after)
),
placed AS (
    SELECT what, key, bool_or(window_start = :before) AS before, bool_or(window_start = :after) AS after
    FROM held
    GROUP BY what, key
)
SELECT
    kinds.what,
    count(*) FILTER (WHERE before AND NOT after) AS gone,
    count(*) FILTER (WHERE after AND NOT before) AS new,
    count(*) FILTER (WHERE before AND after) AS both
FROM (VALUES ('indicators'), ('behaviours')) AS kinds (what)
LEFT JOIN placed ON placed.what = kinds.what
GROUP BY kinds.what
