-- Every true file, how much of it is said to be archived, and the objects that hold its log, in order.
SELECT true_file.bytes, true_file.sha256, known.consumed,
       ARRAY(SELECT segment.object_key FROM segments AS segment
             WHERE segment.log_id = known.log_id AND segment.byte_start < known.consumed
             ORDER BY segment.byte_start) AS object_keys
FROM demo_truth.files AS true_file
LEFT JOIN source_files AS known
       ON known.rustbucket_id = true_file.rustbucket_id AND known.key = true_file.key AND known.replaced_at IS NULL
