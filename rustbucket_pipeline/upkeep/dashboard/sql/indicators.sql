-- Indicators that were new in these windows, the rarer types first: what payloads name says more than who knocked.
SELECT type, value, events, rustbuckets, window_start
FROM (
    SELECT DISTINCT ON (type, value) type, value, events, rustbuckets, window_start
    FROM indicators
    WHERE is_new AND window_start >= :since AND window_start < :until
    ORDER BY type, value, window_start
) AS first_seen
ORDER BY array_position(ARRAY['url', 'host', 'ip'], type), events DESC, value
LIMIT :most
