-- What gathering hits works with (`hits`), for this transaction only.
DROP TABLE IF EXISTS rule_texts, rule_matches, rule_terms, rule_found, rule_hits;
CREATE TEMP TABLE rule_texts (id bigint GENERATED ALWAYS AS IDENTITY, told text) ON COMMIT DROP;
CREATE TEMP TABLE rule_matches (text_id bigint, rule smallint) ON COMMIT DROP;
CREATE TEMP TABLE rule_terms (rule smallint, event_types text [], protocols text [], counted boolean, per text) ON COMMIT DROP;
CREATE TEMP TABLE rule_found (
    rule smallint, told text, event_types text [], protocols text [], counted boolean, per text
) ON COMMIT DROP;
CREATE TEMP TABLE rule_hits (
    rule smallint, event_id text, event_ts timestamptz, rustbucket_id text, src_ip text, gathered text, told text
) ON COMMIT DROP
