-- The last segment of every log that grew since :since; null: of every log.
SELECT DISTINCT ON (segments.log_id)
    segments.log_id,
    segments.rustbucket_id,
    source_files.key,
    segments.byte_end,
    segments.chain_sha256
FROM segments
JOIN source_files ON source_files.id = segments.log_id
WHERE cast(:since AS timestamptz) IS NULL
    OR segments.log_id IN (SELECT grown.log_id FROM segments AS grown WHERE grown.pulled_at >= :since)
ORDER BY segments.log_id, segments.byte_start DESC
