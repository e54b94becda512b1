-- Promise 1: archived bytes = events + quarantine + duplicates, and the counts of every hour and rustbucket.
WITH truth AS (
    SELECT rustbucket_id, date_trunc('hour', event_ts, 'UTC') AS hour,
           count(DISTINCT identity) FILTER (WHERE fate = 'event') AS events,
           count(DISTINCT identity) FILTER (WHERE fate = 'quarantine') AS quarantined
    FROM true_places
    GROUP BY 1, 2
)
SELECT 'bytes' AS subject,
       coalesce(sum(archived_bytes), 0)::bigint AS expected,
       coalesce(sum(event_bytes + quarantined_bytes + duplicate_bytes), 0)::bigint AS found
FROM hour_counts
UNION ALL
SELECT 'hours', count(*), count(*) FILTER (WHERE counts.events = truth.events AND counts.quarantined = truth.quarantined)
FROM truth
LEFT JOIN hour_counts AS counts ON counts.rustbucket_id = truth.rustbucket_id AND counts.hour = truth.hour
