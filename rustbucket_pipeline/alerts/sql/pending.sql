-- What a target has to be told: alerts that opened, got worse or are over, each of these once. What closed before the
-- target was told of it, it isn't told at all; nor that something is over before it stayed away for a while (:calm), or
-- that is open again. Every lookup is by a key: in a storm the planner knows nothing of these tables yet.
WITH due AS NOT MATERIALIZED (
    SELECT a.*, 'opened' AS state
    FROM alert_list AS a
    WHERE a.closed_at IS NULL AND a.kind = ANY(:kinds) AND a.severity = ANY(:severities)
    UNION ALL
    SELECT a.*, 'escalated'
    FROM alert_list AS a
    JOIN alert_deliveries AS told ON told.target = :target AND told.alert_id = a.id AND told.state = 'opened'
    WHERE a.closed_at IS NULL AND a.escalated_at > told.sent_at
    UNION ALL
    SELECT a.*, 'closed'
    FROM alert_list AS a
    JOIN alert_deliveries AS told ON told.target = :target AND told.alert_id = a.id AND told.state = 'opened'
    WHERE a.closed_at > :now - interval '2 days' AND a.closed_at <= :now - :calm
        AND NOT EXISTS (
            SELECT FROM alerts AS again
            WHERE again.kind = a.kind AND again.subject = a.subject AND again.closed_at IS NULL
        )
)
SELECT id, state, kind, severity, subject, left(cause, 400) AS cause, count, opened_at
FROM due
WHERE (state = 'closed' OR (acknowledged_at IS NULL AND coalesce(snoozed_until <= :now, true)))
    AND (severity = 'critical' OR kind <> ALL(:silent))
    AND NOT EXISTS (
        SELECT FROM alert_deliveries AS d WHERE d.target = :target AND d.alert_id = due.id AND d.state = due.state
    )
ORDER BY opened_at, id
