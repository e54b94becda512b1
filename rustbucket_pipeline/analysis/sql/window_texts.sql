-- Commands, paths and requests of the window that hold anything like a URL or an address.
INSERT INTO window_texts (text_hash, told, event_id, event_ts, rustbucket_id)
SELECT sha256(convert_to(told, 'UTF8')), told, event_id, event_ts, rustbucket_id
FROM (
    SELECT event_id, event_ts, rustbucket_id, left(concat_ws(' ', command, http_path, fields ->> 'request'), 8192) AS told
    FROM log_events
    WHERE event_ts >= :start AND event_ts < :end AND event_type IN ('command', 'request')
) AS texts
WHERE told ~ '://|[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]'
