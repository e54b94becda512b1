-- What each connection left in the hours of the window (`session_parts`). One behaviour key: the same lines, letter by
-- letter. A part whose rows may be several connections', or whose lists are cut, makes counts lower bounds.
INSERT INTO window_sessions
SELECT
    sha256(convert_to(concat_ws(E'\x1f', coalesce(protocol, ''), logins > 0, mails > 0, command_lines, request_lines), 'UTF8')),
    protocol, src_ip, rustbucket_id, started_at, ended_at, events,
    confidence = 'ambiguous' OR commands > jsonb_array_length(command_lines) OR requests > jsonb_array_length(request_lines),
    hour, number, first_event_id
FROM session_parts
WHERE hour >= :start AND hour < :end
