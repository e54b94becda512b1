-- Every address that connected and every URL and host named in commands, paths or requests of the window.
-- Peers of recorded connections only are `ip`: an address in a text proves nothing about its owner. `shape`: what its
-- sessions, or the text that names it, look like.
WITH named AS MATERIALIZED (
    SELECT named.type, named.value, texts.event_id, texts.event_ts, texts.rustbucket_id, named.shape
    FROM window_named AS named INNER JOIN window_texts AS texts ON texts.text_hash = named.text_hash
),
peers AS (
    SELECT src_ip, event_id, event_ts, rustbucket_id
    FROM log_events
    WHERE event_ts >= :start AND event_ts < :end AND src_ip IS NOT NULL AND trust >= 0.5
),
evidence AS (
    SELECT type, value, array_agg(event_id ORDER BY place) AS event_ids
    FROM (
        SELECT 'ip' AS type, src_ip AS value, event_id, row_number() OVER (PARTITION BY src_ip ORDER BY event_ts, event_id) AS place
        FROM peers
        UNION ALL
        SELECT type, value, event_id, row_number() OVER (PARTITION BY type, value ORDER BY event_ts, event_id)
        FROM named
    ) AS placed
    WHERE place <= :evidence
    GROUP BY type, value
),
counted AS (
    SELECT 'ip' AS type, v.value, v.first AS first_seen, v.last AS last_seen, v.events, p.rustbuckets, NULL AS shape
    FROM window_values AS v
    INNER JOIN (
        SELECT src_ip, count(*)::integer AS rustbuckets
        FROM (SELECT src_ip, rustbucket_id FROM peers GROUP BY src_ip, rustbucket_id) AS visited
        GROUP BY src_ip
    ) AS p ON p.src_ip = v.value
    WHERE v.kind = 'source'
    UNION ALL
    SELECT type, value, min(event_ts), max(event_ts), count(*), count(DISTINCT rustbucket_id)::integer, min(shape)
    FROM named
    GROUP BY type, value
),
visits AS (
    SELECT s.src_ip, max(b.shape) AS shape
    FROM window_sessions AS s INNER JOIN window_behaviours AS b ON b.behaviour_key = s.behaviour_key
    WHERE s.src_ip IS NOT NULL
    GROUP BY s.src_ip
)
INSERT INTO window_indicators
SELECT
    c.type,
    c.value,
    CASE c.type WHEN 'ip' THEN 'source' ELSE c.type END,
    substr(sha256(convert_to(length(c.value) || ' ' || c.value, 'UTF8')), 1, 16),
    c.first_seen,
    c.last_seen,
    c.events,
    c.rustbuckets,
    e.event_ids,
    coalesce(c.shape, v.shape, '')
FROM counted AS c
INNER JOIN evidence AS e ON e.type = c.type AND e.value = c.value
LEFT JOIN visits AS v ON c.type = 'ip' AND v.src_ip = c.value
