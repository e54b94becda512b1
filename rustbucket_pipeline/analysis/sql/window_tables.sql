-- What gathering a window works with, for this transaction only. `key`: the value's, as in `sightings`.
DROP TABLE IF EXISTS window_values, window_texts, window_named, window_sessions, window_behaviours, window_indicators, judged_indicators, window_clusters;
CREATE TEMP TABLE window_values (
    kind text, value text, second text, key bytea, events bigint, first timestamptz, last timestamptz
) ON COMMIT DROP;
CREATE TEMP TABLE window_texts (
    text_hash bytea, told text, event_id text, event_ts timestamptz, rustbucket_id text
) ON COMMIT DROP;
CREATE TEMP TABLE window_named (text_hash bytea, type text, value text, shape text) ON COMMIT DROP;
CREATE TEMP TABLE window_sessions (
    behaviour_key bytea, protocol text, src_ip text, rustbucket_id text, started_at timestamptz, ended_at timestamptz,
    events bigint, at_least boolean, hour timestamptz, number integer, first_event_id text
) ON COMMIT DROP;
CREATE TEMP TABLE window_behaviours (behaviour_key bytea, fingerprint text, shape text) ON COMMIT DROP;
CREATE TEMP TABLE window_indicators (
    type text, value text, kind text, key bytea, first_seen timestamptz, last_seen timestamptz, events bigint,
    rustbuckets integer, event_ids text [], shape text
) ON COMMIT DROP;
CREATE TEMP TABLE judged_indicators (
    indicator_id text, type text, value text, first_seen timestamptz, last_seen timestamptz, is_new boolean,
    events bigint, rustbuckets integer, event_ids text [], shape text
) ON COMMIT DROP;
CREATE TEMP TABLE window_clusters (
    fingerprint text, key bytea, shape text, protocol text, sessions bigint, events bigint, sources bigint,
    rustbuckets integer, first_seen timestamptz, last_seen timestamptz, at_least boolean, event_ids text [],
    network text, example_hour timestamptz, example_rustbucket text, example_number integer
) ON COMMIT DROP
