-- The indicators a digest shows: new ones first, those named in texts before addresses, the busiest of each first.
SELECT
    indicator_id, type, left(value, :longest) AS value, length(value) AS length, events, rustbuckets, first_seen, is_new,
    count(*) OVER () AS all_values,
    count(*) FILTER (WHERE is_new) OVER () AS all_new
FROM window_indicators
ORDER BY is_new DESC, row_number() OVER (PARTITION BY is_new, type ORDER BY events DESC, value), type, value
LIMIT :top
