-- The newest trusted event time archived of each rustbucket; null: nothing yet. An empty listing moves nothing.
CREATE VIEW rustbucket_watermarks AS
SELECT
    rustbuckets.id AS rustbucket_id,
    max(segments.last_event_ts) AS watermark
FROM rustbuckets
LEFT JOIN segments ON segments.rustbucket_id = rustbuckets.id
GROUP BY rustbuckets.id
