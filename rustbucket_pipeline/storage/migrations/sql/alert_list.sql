-- Alerts as people see them: one that lasted is a severity worse than it was raised.
CREATE OR REPLACE VIEW alert_list AS
SELECT
    id,
    kind,
    CASE
        WHEN escalated_at IS NULL THEN severity
        WHEN severity = 'info' THEN 'warning'
        WHEN severity = 'warning' THEN 'error'
        ELSE 'critical'
    END AS severity,
    subject,
    cause,
    count,
    opened_at,
    last_seen_at,
    escalated_at,
    acknowledged_at,
    snoozed_until,
    closed_at,
    closed_by
FROM alerts;
