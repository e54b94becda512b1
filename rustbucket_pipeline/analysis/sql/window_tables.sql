-- What finding indicators works with, for this transaction only: texts that may name a host, what each names, the result.
CREATE TEMP TABLE window_texts (event_id text, event_ts timestamptz, rustbucket_id text, told text) ON COMMIT DROP;
CREATE TEMP TABLE window_named (text_hash bytea, type text, value text) ON COMMIT DROP;
CREATE TEMP TABLE window_indicators (LIKE indicators) ON COMMIT DROP
