-- Kinds of which the target was told within the quiet window.
SELECT DISTINCT a.kind
FROM alert_deliveries AS d
JOIN alerts AS a ON a.id = d.alert_id
WHERE d.target = :target AND d.sent_at > :since
