-- After the hits are in: found by rule, in their order.
CREATE INDEX ON rule_hits (rule, event_ts);
ANALYZE rule_hits
