-- Every distinct true record: exactly one event (or quarantine entry) at one of its places.
WITH kept AS (
    SELECT identity, count(*) AS times FROM placed WHERE identity IS NOT NULL GROUP BY identity
)
SELECT CASE truth.fate WHEN 'event' THEN 'as one event' ELSE 'in quarantine' END AS subject,
       count(DISTINCT truth.identity) AS expected,
       count(DISTINCT truth.identity) FILTER (WHERE kept.times = 1) AS found
FROM true_places AS truth
LEFT JOIN kept ON kept.identity = truth.identity
GROUP BY truth.fate
ORDER BY truth.fate
