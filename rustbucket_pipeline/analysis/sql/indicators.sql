-- The window's indicators, for good.
INSERT INTO indicators (window_start, type, value, indicator_id, first_seen, last_seen, is_new, events, rustbuckets, event_ids)
SELECT :start, type, value, indicator_id, first_seen, last_seen, is_new, events, rustbuckets, event_ids
FROM judged_indicators
