-- Every segment of every log that has one in the windows of [:start, :end), of these rustbuckets or, if empty, of all.
SELECT *
FROM segments
WHERE log_id IN (
    SELECT selected.log_id
    FROM segments AS selected
    WHERE selected.window_start >= :start
        AND selected.window_start < :end
        AND (
            cardinality(cast(:rustbuckets AS text[])) = 0
            OR selected.rustbucket_id = ANY (cast(:rustbuckets AS text[]))
        )
)
ORDER BY log_id, byte_start
