-- The newest observation of each active rustbucket.
SELECT rustbuckets.id, newest.outcome, newest.detail, newest.observed_at
FROM rustbuckets
CROSS JOIN LATERAL (
    SELECT outcome, detail, observed_at
    FROM rustbucket_status
    WHERE rustbucket_status.rustbucket_id = rustbuckets.id
    ORDER BY observed_at DESC
    LIMIT 1
) AS newest
WHERE rustbuckets.status = 'active'
