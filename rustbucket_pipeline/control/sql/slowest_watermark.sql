-- The earliest watermark of the active rustbuckets; null while one of them has none, or none is active.
SELECT CASE WHEN count(newest.watermark) = count(*) THEN min(newest.watermark) END
FROM rustbuckets
LEFT JOIN LATERAL (
    SELECT max(segments.last_event_ts) AS watermark
    FROM segments
    WHERE segments.rustbucket_id = rustbuckets.id
) AS newest ON true
WHERE rustbuckets.status = 'active'
