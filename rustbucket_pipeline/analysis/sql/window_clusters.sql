-- Sessions of one fingerprint, counted. `network`: where its first known source is; an IPv4 /24, an IPv6 /48.
INSERT INTO window_clusters
SELECT
    b.fingerprint,
    substr(sha256(convert_to(b.fingerprint, 'UTF8')), 1, 16),
    min(b.shape),
    min(s.protocol),
    count(*),
    sum(s.events)::bigint,
    count(DISTINCT s.src_ip),
    count(DISTINCT s.rustbucket_id)::integer,
    min(s.started_at),
    max(s.ended_at),
    bool_or(s.at_least),
    (array_agg(s.first_event_id ORDER BY s.started_at, s.first_event_id))[1:5],
    substring((array_agg(s.src_ip ORDER BY s.started_at, s.first_event_id) FILTER (WHERE s.src_ip IS NOT NULL))[1]
        FROM '^[0-9]+\.[0-9]+\.[0-9]+|^[0-9a-f]*:[0-9a-f]*:[0-9a-f]*'),
    (array_agg(s.hour ORDER BY s.started_at, s.first_event_id))[1],
    (array_agg(s.rustbucket_id ORDER BY s.started_at, s.first_event_id))[1],
    (array_agg(s.number ORDER BY s.started_at, s.first_event_id))[1]
FROM window_sessions AS s
INNER JOIN window_behaviours AS b ON b.behaviour_key = s.behaviour_key
GROUP BY b.fingerprint
