-- The hour's rows that a session is made of, in the order they happened. Forgeries, refusals and what the honeypot says
-- about itself are none of a session's business. What a row does to its connection (role) is told by its template;
-- null: it happens on an open one. Key: what the connection alone has. Lane: whose connections it could be, without a key.
SELECT
    rustbucket_id,
    event_id,
    event_ts AS at,
    event_type,
    protocol,
    src_ip,
    src_port,
    CASE
        WHEN dialect = 'cowrie' THEN fields ->> 'session'
        WHEN src_port IS NOT NULL AND src_ip LIKE '%:%' THEN '[' || src_ip || ']:' || src_port
        WHEN src_port IS NOT NULL THEN src_ip || ':' || src_port
    END AS key,
    CASE WHEN dialect = 'classic' THEN 'classic' ELSE protocol END AS lane,
    CASE
        WHEN event_type IN ('authentication', 'request', 'mail', 'response') THEN null
        WHEN target = 'rustbucket' AND message = 'Tracing initialized' THEN 'boots'
        WHEN dialect = 'cowrie' THEN
            CASE target
                WHEN 'cowrie.session.connect' THEN 'opens'
                WHEN 'cowrie.session.closed' THEN 'ends'
            END
        WHEN dialect = 'classic' THEN
            CASE
                WHEN message LIKE 'Actor attempted to connect %' THEN 'opens'
                WHEN message = 'Actor connected to an unexpected port.' THEN 'is all'
                WHEN message = 'Connection closed' THEN 'ends'
                WHEN message LIKE 'Failed to read from stream: %' THEN 'ends'
                WHEN message = 'Failed to write data.' THEN 'ends'
            END
        WHEN event_type = 'llm' THEN
            CASE
                WHEN message = 'LLM escalation' OR message LIKE '%: Escalating to LLM for %' THEN 'asks'
                WHEN message LIKE '%response received%' OR message LIKE 'ChatGPT responded: %' THEN 'is told'
                WHEN message LIKE 'LLM error%' THEN 'is told'
            END
        WHEN dialect = 'proto' THEN
            CASE
                WHEN message LIKE 'Actor attempted to connect %' THEN 'opens'
                WHEN message LIKE 'New SSH connection from: %' THEN 'opens'
                WHEN message IN (
                    'FTP handler started', 'SMTP handler started', 'HTTP handler started', 'SSH handler started'
                ) THEN 'starts'
                WHEN message LIKE 'SSH shell request - client: %' THEN 'listens'
                WHEN message LIKE 'SSH exec request - client: %' THEN 'runs'
                WHEN message LIKE 'SSH channel closed - client: %' THEN 'ends'
                WHEN message LIKE '____ session ended%' OR message LIKE '___ session ended%' THEN 'ends'
                WHEN message = 'HTTP connection closed immediately' THEN 'ends'
                WHEN message = 'Failed to parse HTTP request' THEN 'ends'
                WHEN message LIKE 'Failed to send % banner: %' THEN 'ends'
            END
        ELSE
            CASE message
                WHEN 'New SSH connection' THEN 'opens'
                WHEN 'New connection' THEN 'opens'
                WHEN 'Handler started' THEN 'starts'
                WHEN 'Shell request' THEN 'listens'
                WHEN 'Exec request' THEN 'runs'
                WHEN 'Channel closed' THEN 'ends'
                WHEN 'Session ended' THEN 'ends'
                WHEN 'Connection closed immediately' THEN 'ends'
                WHEN 'Failed to parse request' THEN 'ends'
                WHEN 'Failed to send banner' THEN 'ends'
            END
    END AS role,
    counted,
    username,
    password,
    left(CASE
        WHEN event_type = 'request' THEN http_method || ' ' || http_path
        WHEN event_type = 'llm' THEN btrim(coalesce(command, fields ->> 'user_message'), E' \t\r\n')
        ELSE btrim(command, E' \t\r\n')
    END, 1024) AS said,
    duration_ms
FROM log_events
WHERE event_ts >= :start
    AND event_ts < :end
    AND trust >= 0.5
    AND event_type NOT IN ('forgery', 'unknown')
    AND (
        (protocol IS NOT NULL AND event_type <> 'operational')
        OR (dialect IN ('classic', 'cowrie') AND event_type <> 'operational')
        OR event_type = 'llm'
        OR target = 'rustbucket::handler'
        OR target LIKE 'rustbucket::protocols%'
        OR (target = 'rustbucket' AND message = 'Tracing initialized')
    )
ORDER BY rustbucket_id, event_ts, byte_offset, event_id
