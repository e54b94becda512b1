-- Event times, and which claims didn't count.
SELECT '' AS subject,
       count(*) AS expected,
       count(*) FILTER (WHERE event_ts = true_ts AND clamped = true_clamped) AS found
FROM placed
WHERE fate = 'event' AND identity IS NOT NULL
