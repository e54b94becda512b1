-- What attackers used in the window: sources, credentials, commands, paths; each action once. One pass a kind, hashed.
INSERT INTO window_values
SELECT
    kind, value, second,
    substr(sha256(convert_to(length(value) || ' ' || value || coalesce(second, ''), 'UTF8')), 1, 16),
    events, first, last
FROM (
    SELECT 'source' AS kind, src_ip AS value, NULL AS second, count(*) AS events, min(event_ts) AS first, max(event_ts) AS last
    FROM log_events
    WHERE event_ts >= :start AND event_ts < :end AND src_ip IS NOT NULL AND trust >= 0.5
    GROUP BY src_ip
    UNION ALL
    SELECT 'credential', coalesce(username, ''), password, count(*), min(event_ts), max(event_ts)
    FROM log_events
    WHERE event_ts >= :start AND event_ts < :end AND event_type = 'authentication' AND counted AND password IS NOT NULL
    GROUP BY coalesce(username, ''), password
    UNION ALL
    SELECT 'command', command, NULL, count(*), min(event_ts), max(event_ts)
    FROM log_events
    WHERE event_ts >= :start AND event_ts < :end AND event_type = 'command' AND counted AND command IS NOT NULL
    GROUP BY command
    UNION ALL
    SELECT 'path', http_path, NULL, count(*), min(event_ts), max(event_ts)
    FROM log_events
    WHERE event_ts >= :start AND event_ts < :end AND event_type = 'request' AND counted AND http_path IS NOT NULL
    GROUP BY http_path
) AS used
