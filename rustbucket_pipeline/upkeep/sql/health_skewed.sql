-- Rustbuckets of whose newest parsed hour since :since most records claim a time that was clamped, and one such time;
-- told by the hour's first thousand.
SELECT newest.rustbucket_id, newest.hour, counted.events, counted.clamped, counted.claimed
FROM (
    SELECT DISTINCT ON (rustbucket_id) rustbucket_id, hour
    FROM hour_counts
    WHERE hour >= :since AND events > 0
    ORDER BY rustbucket_id, hour DESC
) AS newest
CROSS JOIN LATERAL (
    SELECT count(*) AS events, count(*) FILTER (WHERE clamped) AS clamped, max(claimed_ts) AS claimed
    FROM (
        SELECT clamped, claimed_ts
        FROM log_events
        WHERE log_events.rustbucket_id = newest.rustbucket_id
            AND event_ts >= newest.hour
            AND event_ts < newest.hour + interval '1 hour'
        ORDER BY event_ts
        LIMIT 1000
    ) AS first_rows
) AS counted
WHERE counted.clamped * 2 > counted.events AND counted.clamped >= 5 AND counted.claimed IS NOT NULL
ORDER BY newest.rustbucket_id
