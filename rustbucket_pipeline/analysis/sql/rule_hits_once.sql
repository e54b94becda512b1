-- One row per rule and event, though two texts of it matched.
DELETE FROM rule_hits AS late
USING rule_hits AS early
WHERE early.rule = late.rule AND early.event_ts = late.event_ts AND early.event_id = late.event_id AND early.ctid < late.ctid
    AND late.rule = ANY(CAST(:anywhere AS smallint []))
