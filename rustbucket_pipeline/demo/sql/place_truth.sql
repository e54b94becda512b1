-- Where each true record of the built hours lies in the pipeline's logs. A record that lies in several files is one
-- identity with several places; an event at any of them is that record.
CREATE TEMPORARY TABLE true_places ON COMMIT DROP AS
SELECT DISTINCT ON (coalesce(known.log_id::text, known.id::text, record.file), record.rustbucket_id, record.byte_offset)
       record.rustbucket_id || record.identity AS identity,
       record.rustbucket_id,
       coalesce(known.log_id, known.id) AS log_id,
       record.byte_offset, record.byte_length, record.event_ts, record.clamped, record.forged,
       CASE record.expect WHEN 'quarantine' THEN 'quarantine' ELSE 'event' END AS fate,
       record.kind, record.protocol, record.src_ip, record.username, record.password, record.command
FROM demo_truth.records AS record
JOIN window_builds AS build
       ON build.asset = 'parsed_logs' AND build.window_start = date_trunc('hour', record.event_ts, 'UTC')
LEFT JOIN source_files AS known
       ON known.rustbucket_id = record.rustbucket_id AND known.key = record.file AND known.replaced_at IS NULL
