-- What sessions did, gathered by behaviour; and what each window held, by key: the baseline of the windows after it.
CREATE TABLE clusters (
    window_start timestamptz NOT NULL,
    cluster_id text NOT NULL,
    fingerprint text NOT NULL,
    protocol text,
    steps text [] NOT NULL,
    rules text [] NOT NULL,
    severity text NOT NULL,
    sessions bigint NOT NULL,
    events bigint NOT NULL,
    sources bigint NOT NULL,
    rustbuckets integer NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    is_new boolean NOT NULL,
    at_least boolean NOT NULL,
    event_ids text [] NOT NULL,
    CONSTRAINT pk_clusters PRIMARY KEY (window_start, cluster_id)
);
COMMENT ON COLUMN clusters.cluster_id IS 'C1, C2 … within the window';
COMMENT ON COLUMN clusters.fingerprint IS 'hash of protocol and steps: the same behaviour in any window';
COMMENT ON COLUMN clusters.steps IS 'what its sessions did: commands and requests with names and numbers left out';
COMMENT ON COLUMN clusters.rules IS 'those that match a step';
COMMENT ON COLUMN clusters.sources IS 'known ones';
COMMENT ON COLUMN clusters.is_new IS 'not usual in the 7 days before';
COMMENT ON COLUMN clusters.at_least IS 'the counts are lower bounds';
COMMENT ON COLUMN clusters.event_ids IS 'first rows of the first 5 sessions';
CREATE INDEX ix_clusters_fingerprint ON clusters (fingerprint, window_start);

CREATE TABLE sighted_windows (
    window_start timestamptz NOT NULL,
    inputs_version text NOT NULL,
    CONSTRAINT pk_sighted_windows PRIMARY KEY (window_start)
);
COMMENT ON TABLE sighted_windows IS 'windows whose sightings are noted, and of which rows they were made';

CREATE TABLE sightings (
    kind text NOT NULL,
    key bytea NOT NULL,
    window_start timestamptz NOT NULL,
    rustbuckets integer NOT NULL,
    CONSTRAINT pk_sightings PRIMARY KEY (kind, key, window_start)
);
COMMENT ON TABLE sightings IS 'which values and behaviours a window held; values as the first 16 bytes of their SHA-256';
CREATE INDEX ix_sightings_window_start ON sightings (window_start);

CREATE TABLE window_counts (
    window_start timestamptz NOT NULL,
    what text NOT NULL,
    events bigint NOT NULL,
    CONSTRAINT pk_window_counts PRIMARY KEY (window_start, what)
);
COMMENT ON TABLE window_counts IS 'events of a window: all, by type, by protocol';
