-- Which part of the hour before a part goes on from, where its opening isn't in its own hour's rows. By key: the key's last
-- part there. By order: the parts of its lane that were open and not silent for five minutes; joined only where exactly
-- one of them fits and no other part of the lane claims it.
CREATE VIEW session_links AS
SELECT
    later.rustbucket_id,
    later.connection_key,
    later.hour,
    later.number,
    earlier.number AS earlier_number,
    earlier.candidates,
    coalesce(cardinality(earlier.candidates) = 1 AND NOT rivals.any, false) AS joined
FROM session_parts AS later
CROSS JOIN LATERAL (
    SELECT
        max(fit.number) AS number,
        max(fit.ended_at) AS ended_at,
        CASE
            WHEN later.keyed THEN (array_agg(fit.first_event_id ORDER BY fit.number DESC))[:1]
            ELSE (array_agg(fit.first_event_id ORDER BY fit.number DESC))[:20]
        END AS candidates
    FROM session_parts AS fit
    WHERE fit.rustbucket_id = later.rustbucket_id
        AND fit.connection_key = later.connection_key
        AND fit.hour = later.hour - interval '1 hour'
        AND fit.confidence <> 'ambiguous'
        AND (later.keyed OR (fit.ends_after AND fit.ended_at >= later.started_at - interval '5 minutes'))
) AS earlier
CROSS JOIN LATERAL (
    SELECT EXISTS (
        SELECT FROM session_parts AS rival
        WHERE NOT later.keyed
            AND rival.rustbucket_id = later.rustbucket_id
            AND rival.connection_key = later.connection_key
            AND rival.hour = later.hour
            AND rival.number <> later.number
            AND rival.opens_before
            AND rival.started_at <= earlier.ended_at + interval '5 minutes'
    ) AS any
) AS rivals
WHERE later.opens_before AND later.confidence <> 'ambiguous'
