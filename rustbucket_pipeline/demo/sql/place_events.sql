-- Every event and quarantine entry of the built hours with its place, and the true record there, if there is one.
CREATE TEMPORARY TABLE placed ON COMMIT DROP AS
WITH kept AS (
    SELECT 'event' AS fate, segment_id, byte_offset, byte_length::bigint AS byte_length, event_ts, clamped, trust,
           event_type, counted, protocol, src_ip, username, password, command
    FROM log_events
    UNION ALL
    SELECT 'quarantine', segment_id, byte_offset, byte_length, event_ts, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM quarantine
)
SELECT kept.*, truth.identity, truth.event_ts AS true_ts, truth.clamped AS true_clamped, truth.forged,
       truth.kind, truth.protocol AS true_protocol, truth.src_ip AS true_src_ip, truth.username AS true_username,
       truth.password AS true_password, truth.command AS true_command
FROM kept
JOIN segments AS segment ON segment.id = kept.segment_id
LEFT JOIN true_places AS truth
       ON truth.log_id = segment.log_id AND truth.byte_offset = kept.byte_offset
      AND truth.byte_length = kept.byte_length AND truth.fate = kept.fate
WHERE EXISTS (SELECT FROM window_builds AS build
              WHERE build.asset = 'parsed_logs' AND build.window_start = date_trunc('hour', kept.event_ts, 'UTC'))
