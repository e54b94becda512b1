-- What attackers used in these windows, as their digests list it: per kind the busiest values, and the busiest new ones.
-- A digest lists its busiest only, so the sums are lower bounds; sources and rustbuckets are those of the busiest window.
WITH listed AS (
    SELECT k.kind, v.value, v.second, v.events, v.sources, v.rustbuckets, v.is_new
    FROM window_digests AS d
    CROSS JOIN (VALUES ('sources'), ('credentials'), ('commands'), ('paths')) AS k (kind)
    CROSS JOIN LATERAL jsonb_to_recordset(d.digest -> k.kind -> 'rows') AS v (
        value text, second text, events bigint, sources integer, rustbuckets integer, is_new boolean
    )
    WHERE d.window_start >= :since AND d.window_start < :until
),
summed AS (
    SELECT
        kind,
        value,
        second,
        sum(events) AS events,
        max(sources) AS sources,
        max(rustbuckets) AS rustbuckets,
        bool_or(is_new) AS is_new
    FROM listed
    GROUP BY kind, value, second
),
ranked AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY kind ORDER BY events DESC, value, second) AS place,
        row_number() OVER (PARTITION BY kind, is_new ORDER BY events DESC, value, second) AS place_among
    FROM summed
)
SELECT kind, value, second, events, sources, rustbuckets, is_new
FROM ranked
WHERE place <= :most OR (is_new AND place_among <= :most_new)
ORDER BY kind, place
