-- Windows that an operator marked as done: not due until their inputs change.
CREATE TABLE window_marks (
    asset TEXT NOT NULL,
    window_start TIMESTAMP WITH TIME ZONE NOT NULL,
    inputs_version TEXT NOT NULL,
    marked_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    marked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_window_marks PRIMARY KEY (asset, window_start)
);
COMMENT ON TABLE window_marks IS 'windows an operator marked as done: not due until their inputs change';
COMMENT ON COLUMN window_marks.inputs_version IS 'of the inputs it was marked with; others make it due again';
