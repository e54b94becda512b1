-- The hours of each rustbucket from its first one there on, a letter each: received (R; r: no rows yet, s: to be built
-- again), quiet, pending (·), missing, expired, waived.
SELECT
    rustbucket_id,
    min(hour) AS first_hour,
    string_agg(
        CASE
            WHEN arrival <> 'received'
                THEN CASE arrival WHEN 'quiet' THEN 'q' WHEN 'missing' THEN 'M' WHEN 'expired' THEN 'E' WHEN 'waived' THEN 'w' ELSE '.' END
            WHEN build = 'fresh' THEN 'R'
            WHEN build = 'stale' THEN 's'
            ELSE 'r'
        END,
        '' ORDER BY hour
    ) AS states
FROM rustbucket_hours
WHERE hour >= :since AND hour < :until
GROUP BY rustbucket_id
ORDER BY rustbucket_id
