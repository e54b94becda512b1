-- Some segments of windows before :before whose objects may go: nobody holds them, and no row made of them is left open.
SELECT segments.id, segments.rustbucket_id, segments.object_key, segments.stored_bytes
FROM segments
WHERE segments.window_start < :before
    AND segments.expired_at IS NULL
    AND segments.rustbucket_id NOT IN (SELECT holds.rustbucket_id FROM holds WHERE holds.released_at IS NULL)
    AND EXISTS (
        SELECT FROM closed_days
        WHERE closed_days.day = cast(timezone('UTC', segments.window_start) AS date)
            AND closed_days.state <> 'thawed'
    )
ORDER BY segments.window_start, segments.rustbucket_id
LIMIT :page
