-- The gravest open alerts, the newest of them first. Acknowledged and snoozed ones come after those nobody sees to.
SELECT
    id,
    kind,
    severity,
    subject,
    left(cause, 300) AS cause,
    count,
    opened_at,
    CASE
        WHEN snoozed_until > :now THEN 'snoozed'
        WHEN acknowledged_at IS NOT NULL THEN 'acknowledged'
        ELSE 'open'
    END AS state
FROM alert_list
WHERE closed_at IS NULL
ORDER BY
    coalesce(snoozed_until > :now, false) OR acknowledged_at IS NOT NULL,
    array_position(ARRAY['critical', 'error', 'warning', 'info'], severity),
    opened_at DESC,
    id DESC
LIMIT :most
