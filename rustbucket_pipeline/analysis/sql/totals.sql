-- The window in one row. A record of trust below one half may be an attacker's forgery; `window_values` has the sources
-- of the others.
SELECT
    count(*) AS events,
    (SELECT count(*) FROM window_values WHERE kind = 'source') AS sources,
    count(*) FILTER (WHERE trust < 0.5) AS low_trust,
    count(*) FILTER (WHERE clamped) AS clamped,
    (SELECT count(*) FROM quarantine WHERE event_ts >= :start AND event_ts < :end) AS quarantined,
    (SELECT coalesce(sum(duplicates), 0)::bigint FROM hour_counts WHERE hour >= :start AND hour < :end) AS duplicates,
    (SELECT coalesce(sum(archived_bytes), 0)::bigint FROM hour_counts WHERE hour >= :start AND hour < :end) AS archived_bytes
FROM log_events
WHERE event_ts >= :start AND event_ts < :end
