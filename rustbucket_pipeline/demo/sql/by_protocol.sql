-- Events by protocol, where the record says it.
WITH told AS (
    SELECT protocol, count(DISTINCT identity) AS records
    FROM true_places WHERE fate = 'event' AND protocol IS NOT NULL GROUP BY protocol
), read AS (
    SELECT protocol, count(*) AS records FROM placed WHERE fate = 'event' AND true_protocol IS NOT NULL GROUP BY protocol
)
SELECT coalesce(told.protocol, read.protocol, 'none') AS subject,
       coalesce(told.records, 0) AS expected,
       coalesce(read.records, 0) AS found
FROM told
FULL JOIN read ON read.protocol = told.protocol
ORDER BY subject
