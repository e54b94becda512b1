-- Bytes of every true file that the segments of its log cover, each byte once, without a gap.
WITH logs AS (
    SELECT true_file.rustbucket_id, true_file.key, true_file.bytes, coalesce(known.log_id, known.id) AS log_id
    FROM demo_truth.files AS true_file
    LEFT JOIN source_files AS known
           ON known.rustbucket_id = true_file.rustbucket_id AND known.key = true_file.key AND known.replaced_at IS NULL
), covered AS (
    SELECT sum(least(segment.byte_end, logs.bytes) - segment.byte_start) AS bytes,
           sum(segment.byte_end - segment.byte_start) = max(segment.byte_end) AS gapless
    FROM logs
    JOIN segments AS segment ON segment.log_id = logs.log_id AND segment.byte_start < logs.bytes
    GROUP BY logs.rustbucket_id, logs.key
)
SELECT '' AS subject,
       (SELECT sum(bytes) FROM demo_truth.files)::bigint AS expected,
       coalesce(sum(bytes) FILTER (WHERE gapless), 0)::bigint AS found
FROM covered
