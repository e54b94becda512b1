-- The window's indicators, numbered, and whether the 7 days before held them.
INSERT INTO judged_indicators
SELECT
    'I' || row_number() OVER (ORDER BY is_new DESC, type = 'ip', first_seen, type, value),
    type, value, first_seen, last_seen, is_new, events, rustbuckets, event_ids, shape
FROM (
    SELECT w.*, NOT EXISTS (
        SELECT FROM sightings AS s
        WHERE s.kind = w.kind AND s.key = w.key AND s.window_start >= :since AND s.window_start < :start
    ) AS is_new
    FROM window_indicators AS w
) AS judged
