-- One rule's rows (`rule_hits`), gathered by what it counts by (`per`), where a group is big enough.
WITH groups AS (
    SELECT gathered, count(*) AS size
    FROM rule_hits
    WHERE rule = :rule AND gathered IS NOT NULL
    GROUP BY gathered
    HAVING count(*) >= :least_events AND (:least_texts = 1 OR count(DISTINCT told) >= :least_texts)
        AND (:least_rustbuckets = 1 OR count(DISTINCT rustbucket_id) >= :least_rustbuckets)
),
hits AS MATERIALIZED (
    SELECT h.* FROM rule_hits AS h INNER JOIN groups AS g ON g.gathered = h.gathered WHERE h.rule = :rule
)
SELECT
    count(*) AS events,
    count(DISTINCT src_ip) AS sources,
    coalesce(array_agg(DISTINCT rustbucket_id), '{}') AS rustbuckets,
    min(event_ts) AS first,
    max(event_ts) AS last,
    (SELECT count(*) FROM groups) AS groups,
    (SELECT max(size) FROM groups) AS largest,
    ARRAY(SELECT event_id FROM hits ORDER BY event_ts, event_id LIMIT :evidence) AS event_ids,
    ARRAY(SELECT left(told, :longest) FROM hits GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT :examples) AS examples
FROM hits
