-- The registry's table of pulled logs: one row per segment, `log` being its key in the archive,
-- `log_size` megabytes (10^6 bytes) of log.
CREATE VIEW logs AS
SELECT
    segments.id,
    rustbuckets.name,
    rustbuckets.ip_address,
    segments.object_key AS log,
    round((segments.byte_end - segments.byte_start) / 1000000.0, 6) AS log_size,
    segments.pulled_at AS created_at
FROM segments
JOIN rustbuckets ON rustbuckets.id = segments.rustbucket_id
