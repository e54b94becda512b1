-- What each rule that speaks by a text alone found: one row a rule. Its first rows, its commonest texts.
WITH evidence AS (
    SELECT rule, array_agg(event_id ORDER BY place) AS event_ids
    FROM (
        SELECT rule, event_id, row_number() OVER (PARTITION BY rule ORDER BY event_ts, event_id) AS place FROM rule_hits
    ) AS placed
    WHERE place <= :evidence
    GROUP BY rule
),
texts AS (
    SELECT h.rule, left(f.told, :longest) AS told, sum(h.events) AS events
    FROM (SELECT rule, text_id, count(*) AS events FROM rule_hits GROUP BY rule, text_id) AS h
    INNER JOIN (SELECT DISTINCT text_id, told FROM rule_found) AS f ON f.text_id = h.text_id
    GROUP BY h.rule, left(f.told, :longest)
),
examples AS (
    SELECT rule, array_agg(told ORDER BY place) AS examples
    FROM (
        SELECT rule, told, row_number() OVER (PARTITION BY rule ORDER BY events DESC, told COLLATE "C") AS place FROM texts
    ) AS placed
    WHERE place <= :examples
    GROUP BY rule
)
SELECT
    h.rule,
    count(*) AS events,
    count(DISTINCT h.src_ip) AS sources,
    array_agg(DISTINCT h.rustbucket_id) AS rustbuckets,
    min(h.event_ts) AS first,
    max(h.event_ts) AS last,
    1 AS groups,
    count(*) AS largest,
    min(e.event_ids) AS event_ids,
    min(x.examples) AS examples
FROM rule_hits AS h
INNER JOIN evidence AS e ON e.rule = h.rule
INNER JOIN examples AS x ON x.rule = h.rule
GROUP BY h.rule
