SELECT severity, count(*) AS alerts FROM alert_list WHERE closed_at IS NULL GROUP BY severity
