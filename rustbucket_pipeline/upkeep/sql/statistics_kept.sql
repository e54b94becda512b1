-- Of the figures taken before, the newest of each day before :now (0: the last 24 hours).
SELECT DISTINCT ON (figure, ago) figure, ago, value
FROM (
    SELECT figure, taken_at, value, extract(epoch FROM :now - taken_at)::bigint / 86400 AS ago
    FROM figures
    WHERE taken_at > :since AND taken_at < :now
) AS kept
ORDER BY figure, ago, taken_at DESC
