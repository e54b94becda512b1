SELECT (extract(epoch FROM :until - opened_at)::bigint - 1) / 86400 AS ago, count(*) AS alerts_opened
FROM alerts
WHERE opened_at >= :since AND opened_at < :until
GROUP BY ago
