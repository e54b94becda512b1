-- Every address that connected and every URL and host named in commands, paths or requests of the window.
-- Peers of recorded connections only are `ip`: an address in a text proves nothing about its owner.
WITH texts AS NOT MATERIALIZED (
    SELECT event_id, event_ts, rustbucket_id, sha256(convert_to(told, 'UTF8')) AS text_hash FROM window_texts
),
spotted AS NOT MATERIALIZED (
    SELECT 'ip' AS type, src_ip AS value, event_id, event_ts, rustbucket_id
    FROM log_events
    WHERE event_ts >= :since AND event_ts < :end AND src_ip IS NOT NULL AND trust >= 0.5
    UNION ALL
    SELECT named.type, named.value, texts.event_id, texts.event_ts, texts.rustbucket_id
    FROM window_named AS named INNER JOIN texts ON texts.text_hash = named.text_hash
),
inside AS MATERIALIZED (
    SELECT *, row_number() OVER (PARTITION BY type, value ORDER BY event_ts, event_id) AS place
    FROM spotted
    WHERE event_ts >= :start
),
counted AS (
    SELECT
        type,
        value,
        min(event_ts) AS first_seen,
        max(event_ts) AS last_seen,
        count(*) AS events,
        count(DISTINCT rustbucket_id) AS rustbuckets,
        array_agg(event_id ORDER BY event_ts, event_id) FILTER (WHERE place <= :evidence) AS event_ids
    FROM inside
    GROUP BY type, value
),
known AS (
    SELECT DISTINCT type, value FROM spotted WHERE event_ts < :start
)
INSERT INTO window_indicators (window_start, type, value, indicator_id, first_seen, last_seen, is_new, events, rustbuckets, event_ids)
SELECT
    :start,
    c.type,
    c.value,
    'I' || row_number() OVER (ORDER BY k.value IS NULL DESC, c.type = 'ip', c.first_seen, c.type, c.value),
    c.first_seen,
    c.last_seen,
    k.value IS NULL,
    c.events,
    c.rustbuckets,
    c.event_ids
FROM counted AS c LEFT JOIN known AS k ON k.type = c.type AND k.value = c.value
