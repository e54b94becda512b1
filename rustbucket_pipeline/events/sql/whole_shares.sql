-- Sums of the hour's shares whose rows are all there: as many, and of as many bytes, as were loaded.
SELECT sums.*
FROM hour_counts AS sums
LEFT JOIN (
    SELECT rustbucket_id, count(*) AS events, sum(byte_length) AS event_bytes
    FROM log_events
    WHERE event_ts >= :start AND event_ts < :end
    GROUP BY rustbucket_id
) AS present USING (rustbucket_id)
LEFT JOIN (
    SELECT segments.rustbucket_id, count(*) AS quarantined
    FROM quarantine
    JOIN segments ON segments.id = quarantine.segment_id
    WHERE quarantine.event_ts >= :start AND quarantine.event_ts < :end
    GROUP BY segments.rustbucket_id
) AS refused USING (rustbucket_id)
WHERE sums.hour = :start
    AND sums.events = coalesce(present.events, 0)
    AND sums.event_bytes = coalesce(present.event_bytes, 0)
    AND sums.quarantined = coalesce(refused.quarantined, 0)
