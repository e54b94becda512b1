-- The window's events: all, by type, by protocol.
INSERT INTO window_counts (window_start, what, events)
SELECT :start, what, sum(events)
FROM (
    SELECT event_type, protocol, count(*) AS events
    FROM log_events
    WHERE event_ts >= :start AND event_ts < :end
    GROUP BY event_type, protocol
) AS kinds
CROSS JOIN LATERAL (VALUES ('events'), ('type ' || event_type), ('protocol ' || protocol)) AS counted (what)
WHERE what IS NOT NULL
GROUP BY what
