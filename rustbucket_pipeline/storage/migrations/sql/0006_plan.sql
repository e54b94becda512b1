-- What was asked for and when, so that no window is built twice at once and tries have pauses between them.
CREATE TABLE window_requests (
    job TEXT NOT NULL,
    window_start TIMESTAMP WITH TIME ZONE NOT NULL,
    version TEXT NOT NULL,
    times INTEGER NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_window_requests PRIMARY KEY (job, window_start)
);
COMMENT ON TABLE window_requests IS 'the last time a run of the window was asked for: no window twice at once, and pauses between tries';
COMMENT ON COLUMN window_requests.version IS 'of the inputs it was asked for';
COMMENT ON COLUMN window_requests.times IS 'asked for that version in a row';

-- What a blocking check found wrong; nothing is made of these windows until it passes.
CREATE TABLE failed_checks (
    asset TEXT NOT NULL,
    window_start TIMESTAMP WITH TIME ZONE NOT NULL,
    check_name TEXT NOT NULL,
    failed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_failed_checks PRIMARY KEY (asset, window_start, check_name)
);
COMMENT ON TABLE failed_checks IS 'built windows that a blocking check found wrong: what is made of them waits until it passes';
