-- What reports say of rustbuckets that stand out.
CREATE TABLE report_excerpts (
    window_start timestamptz NOT NULL,
    revision integer NOT NULL,
    number integer NOT NULL,
    rustbucket_id text NOT NULL,
    severity text NOT NULL,
    excerpt text NOT NULL,
    PRIMARY KEY (window_start, revision, number)
);
COMMENT ON TABLE report_excerpts IS 'what a report says of rustbuckets that stand out';
COMMENT ON COLUMN report_excerpts.number IS 'within the report, from 1';
COMMENT ON COLUMN report_excerpts.excerpt IS 'plain text; attackers'' words in it are escaped';
