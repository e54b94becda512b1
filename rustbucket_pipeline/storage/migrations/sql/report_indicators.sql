-- The addresses that connected in each window, and the URLs and hosts that were named in it.
CREATE VIEW report_indicators AS
SELECT window_start, indicator_id, type, value, first_seen, last_seen, is_new, events, rustbuckets, event_ids FROM indicators
