-- The registry, what its active rustbuckets were like when last observed, and the hours that were due of [:since, :until).
SELECT
    (SELECT count(*) FROM rustbuckets WHERE status = 'active') AS rustbuckets_active,
    (SELECT count(*) FROM rustbuckets WHERE status = 'review') AS rustbuckets_review,
    (
        SELECT count(*)
        FROM rustbuckets AS r
        CROSS JOIN LATERAL (
            SELECT s.outcome
            FROM rustbucket_status AS s
            WHERE s.rustbucket_id = r.id
            ORDER BY s.observed_at DESC
            LIMIT 1
        ) AS newest
        WHERE r.status = 'active' AND newest.outcome IN ('ok', 'arrival')
    ) AS rustbuckets_alive,
    count(*) AS hours_expected,
    count(*) FILTER (WHERE arrival IN ('missing', 'expired')) AS hours_missing
FROM rustbucket_hours
WHERE hour >= :since AND hour < :until AND arrival <> 'pending'
