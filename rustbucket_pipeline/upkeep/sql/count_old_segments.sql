-- How many segments of windows before :before may lose their objects, how large these are, and how many are held.
SELECT
    count(*) FILTER (WHERE NOT held) AS segments,
    coalesce(sum(stored_bytes) FILTER (WHERE NOT held), 0)::bigint AS bytes,
    count(*) FILTER (WHERE held) AS held
FROM (
    SELECT
        segments.stored_bytes,
        segments.rustbucket_id IN (SELECT holds.rustbucket_id FROM holds WHERE holds.released_at IS NULL) AS held
    FROM segments
    WHERE segments.window_start < :before AND segments.expired_at IS NULL
) AS old
