-- Per kind the window's busiest values that the 7 days before held (known), and the busiest that they lack (new), `:top`
-- of each; the counts beside them say how many there were in all. Who used those and where is counted for these alone.
WITH judged AS (
    SELECT v.*, NOT EXISTS (
        SELECT FROM sightings AS s
        WHERE s.kind = v.kind AND s.key = v.key AND s.window_start >= :since AND s.window_start < :start
    ) AS is_new
    FROM window_values AS v
),
ranked AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY kind, is_new ORDER BY events DESC, value, second) AS place,
        count(*) OVER (PARTITION BY kind, is_new) AS all_values,
        sum(events) OVER (PARTITION BY kind, is_new)::bigint AS all_events
    FROM judged
),
shown AS MATERIALIZED (
    SELECT * FROM ranked WHERE place <= :top
),
used AS (
    SELECT s.kind, s.value, s.second, e.src_ip, e.rustbucket_id
    FROM shown AS s INNER JOIN log_events AS e ON e.src_ip = s.value
    WHERE s.kind = 'source' AND e.event_ts >= :start AND e.event_ts < :end AND e.trust >= 0.5
    UNION ALL
    SELECT s.kind, s.value, s.second, e.src_ip, e.rustbucket_id
    FROM shown AS s INNER JOIN log_events AS e ON e.password = s.second AND coalesce(e.username, '') = s.value
    WHERE s.kind = 'credential' AND e.event_ts >= :start AND e.event_ts < :end AND e.event_type = 'authentication' AND e.counted
    UNION ALL
    SELECT s.kind, s.value, s.second, e.src_ip, e.rustbucket_id
    FROM shown AS s INNER JOIN log_events AS e ON e.command = s.value
    WHERE s.kind = 'command' AND e.event_ts >= :start AND e.event_ts < :end AND e.event_type = 'command' AND e.counted
    UNION ALL
    SELECT s.kind, s.value, s.second, e.src_ip, e.rustbucket_id
    FROM shown AS s INNER JOIN log_events AS e ON e.http_path = s.value
    WHERE s.kind = 'path' AND e.event_ts >= :start AND e.event_ts < :end AND e.event_type = 'request' AND e.counted
),
users AS (
    SELECT kind, value, second, count(DISTINCT src_ip) AS sources, count(DISTINCT rustbucket_id) AS rustbuckets
    FROM used
    GROUP BY kind, value, second
)
SELECT
    s.kind,
    left(s.value, :longest) AS value,
    left(s.second, :longest) AS second,
    length(s.value) AS length,
    s.events, u.sources, u.rustbuckets, s.first, s.last, s.is_new, s.all_values, s.all_events
FROM shown AS s
INNER JOIN users AS u ON u.kind = s.kind AND u.value = s.value AND u.second IS NOT DISTINCT FROM s.second
ORDER BY s.kind, s.is_new DESC, s.place
