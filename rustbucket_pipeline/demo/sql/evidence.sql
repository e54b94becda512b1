-- Rows of evidence, at most one per rustbucket first, down to the object and the source file that hold their bytes.
WITH cited AS (
    SELECT event.*, row_number() OVER (PARTITION BY event.rustbucket_id ORDER BY event.event_ts, event.event_id) AS nth
    FROM log_events AS event
    WHERE event.event_id = ANY(:ids)
)
SELECT event.event_id, event.rustbucket_id, event.event_ts, event.event_type, event.src_ip,
       coalesce(event.command, event.http_path, event.username, event.message) AS text,
       event.byte_offset, event.byte_length, segment.object_key, segment.sha256,
       segment.byte_start AS segment_start, segment.byte_end AS segment_end,
       event.byte_offset - segment.byte_start AS in_object, file.key AS source_key
FROM cited AS event
JOIN segments AS segment ON segment.id = event.segment_id
JOIN source_files AS file ON file.id = segment.source_file_id
ORDER BY event.nth, event.event_ts, event.event_id
LIMIT :limit
