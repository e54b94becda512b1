-- The hours that begin in [:start, :end), of these rustbuckets or, when none are named, of all.
SELECT *
FROM rustbucket_hours
WHERE hour >= :start
    AND hour < :end
    AND (cardinality(cast(:rustbuckets AS text[])) = 0 OR rustbucket_id = ANY (cast(:rustbuckets AS text[])))
ORDER BY length(rustbucket_id), rustbucket_id, hour
