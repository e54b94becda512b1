-- Every rustbucket that isn't retired: how it was when last observed, how far its records reach, its events by bin.
SELECT
    r.id,
    r.name,
    r.status,
    newest.outcome,
    newest.observed_at,
    reach.watermark,
    counts.bins,
    counts.events
FROM rustbuckets AS r
LEFT JOIN LATERAL (
    SELECT s.outcome, s.observed_at
    FROM rustbucket_status AS s
    WHERE s.rustbucket_id = r.id
    ORDER BY s.observed_at DESC
    LIMIT 1
) AS newest ON true
LEFT JOIN LATERAL (
    SELECT max(s.last_event_ts) AS watermark FROM segments AS s WHERE s.rustbucket_id = r.id
) AS reach ON true
LEFT JOIN (
    SELECT rustbucket_id, array_agg(bin ORDER BY bin) AS bins, array_agg(events ORDER BY bin) AS events
    FROM (
        SELECT
            rustbucket_id,
            extract(epoch FROM hour - :since)::bigint / :bin_seconds AS bin,
            sum(counted)::bigint AS events
        FROM hour_counts
        WHERE hour >= :since AND hour < :until
        GROUP BY rustbucket_id, bin
    ) AS binned
    GROUP BY rustbucket_id
) AS counts ON counts.rustbucket_id = r.id
WHERE r.status <> 'inactive'
ORDER BY r.id
LIMIT :most
