-- One rule over one window: the records it matches, gathered by what it counts by (`per`), where a group is big enough.
-- PostgreSQL's regular expressions take linear time here: patterns without back references, texts cut to 8 KB.
WITH told AS (
    SELECT
        event_id, event_ts, rustbucket_id, src_ip,
        left(CASE :field
            WHEN 'command' THEN command
            WHEN 'path' THEN http_path
            WHEN 'request' THEN coalesce(fields ->> 'request', http_path)
            WHEN 'username' THEN username
            WHEN 'password' THEN password
            WHEN 'credential' THEN username || ':' || password
            WHEN 'recipient' THEN fields ->> 'rcpt_to'
            WHEN 'any' THEN concat_ws(E'\n', username, password, command, http_path, message, fields::text)
            ELSE message
        END, 8192) AS told,
        CASE :per
            WHEN 'source' THEN coalesce(src_ip, rustbucket_id)
            WHEN 'rustbucket' THEN rustbucket_id
            WHEN 'credential' THEN username || ' ' || password
            ELSE ''
        END AS gathered
    FROM log_events
    WHERE event_ts >= :start AND event_ts < :end
        AND event_type = ANY(CAST(:event_types AS text []))
        AND (counted OR NOT :counted)
        AND (cardinality(CAST(:protocols AS text [])) = 0 OR protocol = ANY(CAST(:protocols AS text [])))
),
matched AS MATERIALIZED (
    SELECT * FROM told
    WHERE told IS NOT NULL AND gathered IS NOT NULL
        AND told ~* ALL(CAST(:all_of AS text []))
        AND told !~* ALL(CAST(:none_of AS text []))
),
groups AS (
    SELECT gathered, count(*) AS size
    FROM matched
    GROUP BY gathered
    HAVING count(*) >= :least_events AND count(DISTINCT rustbucket_id) >= :least_rustbuckets
),
hits AS MATERIALIZED (
    SELECT m.* FROM matched AS m INNER JOIN groups AS g ON g.gathered = m.gathered
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
