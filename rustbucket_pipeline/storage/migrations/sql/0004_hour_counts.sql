-- What an hour's rows may leave out, beside what they say; and the messages of no known template.
ALTER TABLE hour_counts
    ADD COLUMN counted bigint NOT NULL DEFAULT 0,
    ADD COLUMN refused bigint NOT NULL DEFAULT 0,
    ADD COLUMN suspects bigint NOT NULL DEFAULT 0,
    ADD COLUMN unknown_messages bigint NOT NULL DEFAULT 0,
    ADD COLUMN own bigint NOT NULL DEFAULT 0,
    ADD COLUMN redacted bigint NOT NULL DEFAULT 0;

COMMENT ON COLUMN hour_counts.counted IS 'events that count; a lower bound where refused is not 0';
COMMENT ON COLUMN hour_counts.refused IS 'connections turned away: what they would have done is in no row';
COMMENT ON COLUMN hour_counts.suspects IS 'events taken for forgeries';
COMMENT ON COLUMN hour_counts.unknown_messages IS 'events of no known template';
COMMENT ON COLUMN hour_counts.own IS 'our own visits; they do not count';
COMMENT ON COLUMN hour_counts.redacted IS 'secrets of ours, taken out';

CREATE TABLE unknown_templates (
    hour timestamptz NOT NULL,
    rustbucket_id text NOT NULL REFERENCES rustbuckets (id),
    target text NOT NULL,
    template text NOT NULL,
    records bigint NOT NULL,
    CONSTRAINT unknown_templates_pkey PRIMARY KEY (hour, rustbucket_id, target, template)
);

COMMENT ON TABLE unknown_templates IS 'messages no template fits, blanked; at most 101 of a rustbucket''s hour';
