-- Events by rustbucket, protocol and type; as many rows as the fleet has such combinations.
SELECT rustbucket_id, protocol, event_type, count(*) AS events
FROM log_events
WHERE event_ts >= :start AND event_ts < :end
GROUP BY rustbucket_id, protocol, event_type
ORDER BY events DESC, rustbucket_id, protocol NULLS FIRST, event_type NULLS FIRST
