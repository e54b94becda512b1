-- The matched texts of one field with their rules' terms; analysed, for the planner can't guess how few they are.
TRUNCATE rule_found;
ANALYZE rule_texts, rule_matches, rule_terms;
INSERT INTO rule_found (rule, told, event_types, protocols, counted, per)
SELECT m.rule, t.told, r.event_types, r.protocols, r.counted, r.per
FROM rule_matches AS m
INNER JOIN rule_texts AS t ON t.id = m.text_id
INNER JOIN rule_terms AS r ON r.rule = m.rule;
ANALYZE rule_found
