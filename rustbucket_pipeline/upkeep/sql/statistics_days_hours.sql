-- Sums of the rows of whole hours, by days before :until (0: the last 24 hours).
SELECT
    (extract(epoch FROM :until - hour)::bigint - 1) / 86400 AS ago,
    sum(archived_bytes) AS archived_bytes,
    sum(events) AS events,
    sum(counted) AS events_counted,
    sum(quarantined) AS quarantined,
    sum(duplicates) AS duplicates,
    sum(suspects) AS suspects,
    sum(refused) AS refused
FROM hour_counts
WHERE hour >= :since AND hour < :until
GROUP BY ago
