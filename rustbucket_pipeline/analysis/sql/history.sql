-- Events by type and protocol in each of the 4-hour windows before this one.
SELECT date_bin('4 hours', event_ts, :start) AS window_start, event_type, protocol, count(*) AS events
FROM log_events
WHERE event_ts >= :since AND event_ts < :start
GROUP BY 1, 2, 3
