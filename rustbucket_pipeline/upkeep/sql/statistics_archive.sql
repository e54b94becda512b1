-- Everything ever archived that is still there, but for the canary.
SELECT
    count(*) AS segments,
    coalesce(sum(byte_end - byte_start), 0) AS source_bytes,
    coalesce(sum(stored_bytes), 0) AS stored_bytes
FROM segments
WHERE rustbucket_id <> 'BKT999999999999999999'
