-- What attackers used: sources, credentials, commands, paths. Per kind the busiest values of the 7 days before (known)
-- and the busiest that those days lack (new), `:top` of each; the counts beside them say how many there were in all.
WITH told AS (
    SELECT v.kind, v.value, v.second, e.event_ts, e.src_ip, e.rustbucket_id, e.event_ts >= :start AS inside
    FROM log_events AS e
    CROSS JOIN LATERAL (
        VALUES
        ('source', CASE WHEN e.trust >= 0.5 THEN e.src_ip END, NULL),
        ('credential', CASE WHEN e.event_type = 'authentication' AND e.counted AND e.password IS NOT NULL THEN coalesce(e.username, '') END, e.password),
        ('command', CASE WHEN e.event_type = 'command' AND e.counted THEN e.command END, NULL),
        ('path', CASE WHEN e.event_type = 'request' AND e.counted THEN e.http_path END, NULL)
    ) AS v (kind, value, second)
    WHERE e.event_ts >= :since AND e.event_ts < :end AND v.value IS NOT NULL
),
counted AS (
    SELECT
        kind,
        value,
        second,
        count(*) FILTER (WHERE inside) AS events,
        count(DISTINCT src_ip) FILTER (WHERE inside) AS sources,
        count(DISTINCT rustbucket_id) FILTER (WHERE inside) AS rustbuckets,
        min(event_ts) FILTER (WHERE inside) AS first,
        max(event_ts) FILTER (WHERE inside) AS last,
        bool_and(inside) AS is_new
    FROM told
    GROUP BY kind, value, second
    HAVING bool_or(inside)
),
ranked AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY kind, is_new ORDER BY events DESC, value, second) AS place,
        count(*) OVER (PARTITION BY kind, is_new) AS all_values,
        sum(events) OVER (PARTITION BY kind, is_new)::bigint AS all_events
    FROM counted
)
SELECT
    kind,
    left(value, :longest) AS value,
    left(second, :longest) AS second,
    length(value) AS length,
    events, sources, rustbuckets, first, last, is_new, all_values, all_events
FROM ranked
WHERE place <= :top
ORDER BY kind, is_new DESC, place
