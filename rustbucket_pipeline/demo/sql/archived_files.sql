-- Every true file: is it known, read to its end, with the right hash?
SELECT '' AS subject,
       count(*) AS expected,
       count(*) FILTER (WHERE known.consumed = true_file.bytes AND known.prefix_sha256 = true_file.sha256) AS found
FROM demo_truth.files AS true_file
LEFT JOIN source_files AS known
       ON known.rustbucket_id = true_file.rustbucket_id AND known.key = true_file.key AND known.replaced_at IS NULL
