-- One row per session: a part and all that continue it in the hours after, or rows that may belong to several sessions.
-- A condition on rustbucket_id or started_at costs what it asks for: only parts that another hour touches are followed.
CREATE VIEW sessions AS
SELECT
    head.first_event_id AS session_id,
    head.rustbucket_id,
    head.protocol,
    head.src_ip,
    head.src_port,
    head.started_at,
    coalesce(rest.ended_at, head.ended_at) AS ended_at,
    1000 * extract(epoch FROM coalesce(rest.ended_at, head.ended_at) - head.started_at)::double precision AS duration_ms,
    1 + rest.parts AS parts,
    head.opens_before,
    coalesce(rest.ends_after, head.ends_after) AS ends_after,
    coalesce(rest.closed, head.closed) AS closed,
    CASE
        WHEN before.candidates IS NOT NULL OR head.confidence = 'ambiguous' THEN 'ambiguous'
        WHEN rest.by_order OR head.confidence = 'by_order' THEN 'by_order'
        ELSE 'exact'
    END AS confidence,
    head.events + rest.events AS events,
    head.events_by_order + rest.events_by_order AS events_by_order,
    head.logins + rest.logins AS logins,
    head.commands + rest.commands AS commands,
    head.requests + rest.requests AS requests,
    head.mails + rest.mails AS mails,
    head.credentials || rest.credentials AS credentials,
    head.command_lines || rest.command_lines AS command_lines,
    head.request_lines || rest.request_lines AS request_lines,
    head.event_ids || rest.event_ids AS event_ids,
    coalesce(rest.last_event_id, head.last_event_id) AS last_event_id,
    coalesce(before.candidates, head.candidates) AS candidates
FROM session_parts AS head
LEFT JOIN LATERAL (
    SELECT link.candidates, link.joined
    FROM session_links AS link
    WHERE link.rustbucket_id = head.rustbucket_id AND link.hour = head.hour AND link.number = head.number
) AS before ON head.opens_before
CROSS JOIN LATERAL (
    WITH RECURSIVE chain AS (
        SELECT
            head.hour,
            head.number
        UNION ALL
        SELECT
            next.hour,
            next.number
        FROM chain
        CROSS JOIN LATERAL (
            SELECT
                link.hour,
                link.number
            FROM session_links AS link
            WHERE link.rustbucket_id = head.rustbucket_id
                AND link.connection_key = head.connection_key
                AND link.hour = chain.hour + interval '1 hour'
                AND link.earlier_number = chain.number
                AND link.joined
            OFFSET 0 -- keeps the planner from looking at every hour's links for each session
        ) AS next
        WHERE head.keyed OR chain.hour > head.hour OR head.ends_after
    ),
    later AS (
        SELECT part.*
        FROM chain
        JOIN session_parts AS part
            ON part.rustbucket_id = head.rustbucket_id AND part.hour = chain.hour AND part.number = chain.number
        WHERE chain.hour > head.hour
    )
    SELECT
        count(*)::integer AS parts,
        max(later.ended_at) AS ended_at,
        (array_agg(later.ends_after ORDER BY later.hour DESC))[1] AS ends_after,
        (array_agg(later.closed ORDER BY later.hour DESC))[1] AS closed,
        (array_agg(later.last_event_id ORDER BY later.hour DESC))[1] AS last_event_id,
        bool_or(later.confidence = 'by_order') AS by_order,
        coalesce(sum(later.events), 0)::bigint AS events,
        coalesce(sum(later.events_by_order), 0)::bigint AS events_by_order,
        coalesce(sum(later.logins), 0)::bigint AS logins,
        coalesce(sum(later.commands), 0)::bigint AS commands,
        coalesce(sum(later.requests), 0)::bigint AS requests,
        coalesce(sum(later.mails), 0)::bigint AS mails,
        coalesce((
            SELECT jsonb_agg(entry.value ORDER BY part.hour, entry.place)
            FROM later AS part, jsonb_array_elements(part.credentials) WITH ORDINALITY AS entry (value, place)
        ), '[]') AS credentials,
        coalesce((
            SELECT jsonb_agg(entry.value ORDER BY part.hour, entry.place)
            FROM later AS part, jsonb_array_elements(part.command_lines) WITH ORDINALITY AS entry (value, place)
        ), '[]') AS command_lines,
        coalesce((
            SELECT jsonb_agg(entry.value ORDER BY part.hour, entry.place)
            FROM later AS part, jsonb_array_elements(part.request_lines) WITH ORDINALITY AS entry (value, place)
        ), '[]') AS request_lines,
        coalesce((
            SELECT array_agg(entry.value ORDER BY part.hour, entry.place)
            FROM later AS part, unnest(part.event_ids) WITH ORDINALITY AS entry (value, place)
        ), '{}') AS event_ids
    FROM later
) AS rest
WHERE before.joined IS NOT true
