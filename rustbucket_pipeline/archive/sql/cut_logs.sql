-- Source files of which more was archived than their log's segments hold. A file of several windows counts for each.
SELECT source_files.log_id, source_files.rustbucket_id, source_files.key, source_files.consumed, held.byte_end
FROM source_files
CROSS JOIN LATERAL (
    SELECT coalesce(max(segments.byte_end), 0) AS byte_end
    FROM segments
    WHERE segments.log_id = source_files.log_id
) AS held
WHERE source_files.consumed > held.byte_end
    AND coalesce(source_files.period_start, '-infinity') < :end
    AND coalesce(source_files.period_end, 'infinity') > :start
    AND (
        cardinality(cast(:rustbuckets AS text[])) = 0
        OR source_files.rustbucket_id = ANY (cast(:rustbuckets AS text[]))
    )
ORDER BY source_files.log_id
