-- What gathering hits works with (`hits`, `counting`), for this transaction only.
SET LOCAL work_mem = '96MB';
DROP TABLE IF EXISTS rule_found, rule_hits;
CREATE TEMP TABLE rule_found (
    field text, text_id bigint, told text, rule smallint, event_types text [], protocols text [], counted boolean
) ON COMMIT DROP;
CREATE TEMP TABLE rule_hits (
    rule smallint, text_id bigint, event_id text, event_ts timestamptz, rustbucket_id text, src_ip text
) ON COMMIT DROP
