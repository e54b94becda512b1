-- Each behaviour key once, with the lines of its first session.
SELECT DISTINCT ON (s.behaviour_key)
    s.behaviour_key, p.protocol, p.logins > 0 AS logins, p.mails > 0 AS mails, p.command_lines, p.request_lines
FROM window_sessions AS s
INNER JOIN session_parts AS p ON p.hour = s.hour AND p.rustbucket_id = s.rustbucket_id AND p.number = s.number
ORDER BY s.behaviour_key, s.started_at, s.first_event_id
