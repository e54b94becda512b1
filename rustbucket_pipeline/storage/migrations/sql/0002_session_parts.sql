-- The parts of sessions, as of revision 0002: a record, never changed again.

CREATE TABLE session_parts (
    hour TIMESTAMP WITH TIME ZONE NOT NULL,
    rustbucket_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    connection_key TEXT NOT NULL,
    keyed BOOLEAN NOT NULL,
    protocol TEXT,
    src_ip TEXT,
    src_port INTEGER,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE NOT NULL,
    opens_before BOOLEAN NOT NULL,
    ends_after BOOLEAN NOT NULL,
    closed BOOLEAN NOT NULL,
    confidence TEXT NOT NULL CONSTRAINT ck_session_parts_confidence CHECK (confidence in ('exact', 'by_order', 'ambiguous')),
    events BIGINT NOT NULL,
    events_by_order BIGINT NOT NULL,
    logins BIGINT NOT NULL,
    commands BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    mails BIGINT NOT NULL,
    credentials JSONB NOT NULL,
    command_lines JSONB NOT NULL,
    request_lines JSONB NOT NULL,
    event_ids TEXT[] NOT NULL,
    first_event_id TEXT NOT NULL,
    last_event_id TEXT NOT NULL,
    candidates TEXT[] NOT NULL,
    CONSTRAINT pk_session_parts PRIMARY KEY (hour, rustbucket_id, number)
);
CREATE INDEX ix_session_parts_connection_key ON session_parts (rustbucket_id, connection_key, hour);
CREATE INDEX ix_session_parts_opens_before ON session_parts (rustbucket_id, connection_key, hour) WHERE opens_before;
CREATE INDEX ix_session_parts_rustbucket_id_started_at ON session_parts (rustbucket_id, started_at);
CREATE INDEX ix_session_parts_src_ip ON session_parts (src_ip);
CREATE INDEX ix_session_parts_started_at ON session_parts USING brin (started_at);
COMMENT ON TABLE session_parts IS 'what one connection left in the rows of one hour';
COMMENT ON COLUMN session_parts.number IS 'within the hour, by first event, from 1';
COMMENT ON COLUMN session_parts.connection_key IS 'address and port, or the log''s session id; else its lane';
COMMENT ON COLUMN session_parts.keyed IS 'that key is the connection''s own';
COMMENT ON COLUMN session_parts.protocol IS 'null: one that the log doesn''t name';
COMMENT ON COLUMN session_parts.opens_before IS 'its opening isn''t in this hour''s rows';
COMMENT ON COLUMN session_parts.ends_after IS 'no end and no long silence: the next hour may go on';
COMMENT ON COLUMN session_parts.closed IS 'its end is in the rows';
COMMENT ON COLUMN session_parts.confidence IS 'of its least certain row; ambiguous: rows of any of the candidates';
COMMENT ON COLUMN session_parts.events IS 'rows joined, all tellings';
COMMENT ON COLUMN session_parts.events_by_order IS 'of these, joined by order alone';
COMMENT ON COLUMN session_parts.credentials IS '[username, password], the first 20, cut at 128 characters';
COMMENT ON COLUMN session_parts.command_lines IS 'the first 50, cut at 256 characters';
COMMENT ON COLUMN session_parts.request_lines IS 'method and path; the first 50, cut at 256 characters';
COMMENT ON COLUMN session_parts.event_ids IS 'of its counted rows, the first 50';
COMMENT ON COLUMN session_parts.candidates IS 'first event ids of parts these rows may be of; 20 at most';
