SELECT count(*)
FROM segments
WHERE window_start >= :start
    AND window_start < :end
    AND (cardinality(cast(:rustbuckets AS text[])) = 0 OR rustbucket_id = ANY (cast(:rustbuckets AS text[])))
