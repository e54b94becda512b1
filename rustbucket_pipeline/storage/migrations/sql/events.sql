-- The rows of log_events as readers see them: every column, redacted as it is stored. docs/events.md says what each means.
CREATE VIEW events AS
SELECT
    event_id, rustbucket_id, event_ts, claimed_ts, clamped, level, target, dialect, event_type, protocol, src_ip, src_port,
    username, password, command, http_method, http_path, duration_ms, counted, message, fields, trust, segment_id,
    byte_offset, byte_length, parser_version
FROM log_events
