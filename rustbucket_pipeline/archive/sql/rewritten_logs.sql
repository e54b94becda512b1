-- Signed heads that the ledger contradicts: a log's first so many bytes had that chain, of that rustbucket and file.
SELECT
    signed.manifest,
    signed.log_id,
    signed.rustbucket_id,
    signed.file_key,
    signed.bytes,
    CASE
        WHEN source_files.id IS NULL THEN 'no such log'
        WHEN source_files.key <> signed.file_key OR source_files.rustbucket_id <> signed.rustbucket_id
            THEN 'it under another name: ' || source_files.rustbucket_id || ' ' || source_files.key
        WHEN segments.id IS NULL THEN 'no segment that ends there'
        ELSE 'another chain up to there'
    END AS instead
FROM signed_heads AS signed
LEFT JOIN source_files ON source_files.id = signed.log_id
LEFT JOIN segments ON segments.log_id = signed.log_id AND segments.byte_end = signed.bytes
WHERE segments.id IS NULL
    OR source_files.id IS NULL
    OR segments.chain_sha256 <> signed.chain_sha256
    OR segments.rustbucket_id <> signed.rustbucket_id
    OR source_files.rustbucket_id <> signed.rustbucket_id
    OR source_files.key <> signed.file_key
ORDER BY signed.log_id, signed.manifest
