-- The window's events: all, by type, by protocol.
INSERT INTO window_counts (window_start, what, events)
SELECT :start, what, count(*)
FROM log_events
CROSS JOIN LATERAL (VALUES ('events'), ('type ' || event_type), ('protocol ' || protocol)) AS counted (what)
WHERE event_ts >= :start AND event_ts < :end AND what IS NOT NULL
GROUP BY what
