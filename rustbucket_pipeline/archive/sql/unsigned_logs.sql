-- Logs with segments that claim to be pulled before :before and lie behind everything that was ever signed of the log.
WITH signed AS (
    SELECT log_id, max(bytes) AS bytes
    FROM signed_heads
    GROUP BY log_id
)
SELECT
    segments.log_id,
    segments.rustbucket_id,
    source_files.key,
    count(*) AS segments,
    max(segments.pulled_at) AS pulled_at
FROM segments
JOIN source_files ON source_files.id = segments.log_id
LEFT JOIN signed ON signed.log_id = segments.log_id
WHERE segments.pulled_at < :before
    AND segments.byte_end > coalesce(signed.bytes, 0)
    AND (
        cardinality(cast(:rustbuckets AS text[])) = 0
        OR segments.rustbucket_id = ANY (cast(:rustbuckets AS text[]))
    )
GROUP BY segments.log_id, segments.rustbucket_id, source_files.key
ORDER BY segments.log_id
