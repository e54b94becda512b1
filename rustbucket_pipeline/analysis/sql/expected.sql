-- The rustbuckets that were active in the window, how far their records reach, and what they told in it.
SELECT r.id, w.watermark, (
    SELECT count(*) FROM log_events AS e WHERE e.rustbucket_id = r.id AND e.event_ts >= :start AND e.event_ts < :end
) AS events
FROM rustbuckets AS r
LEFT JOIN rustbucket_watermarks AS w ON w.rustbucket_id = r.id
WHERE r.status <> 'review'
    AND coalesce(r.approved_at, r.registered_at) < :end
    AND (r.status = 'active' OR r.retired_at > :start)
ORDER BY length(r.id), r.id
