SELECT
    count(*) AS alerts_open,
    count(*) FILTER (WHERE severity IN ('error', 'critical')) AS alerts_open_severe
FROM alert_list
WHERE closed_at IS NULL
