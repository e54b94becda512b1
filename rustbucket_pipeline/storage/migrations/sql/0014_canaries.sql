-- Synthetic attacks, and how far each of them came; their rustbucket is in no list that readers see.
CREATE TABLE canaries (
    nonce text NOT NULL,
    hour timestamptz NOT NULL,
    entered_at timestamptz NOT NULL,
    parsed_at timestamptz,
    digested_at timestamptz,
    reported_at timestamptz,
    CONSTRAINT pk_canaries PRIMARY KEY (nonce)
);
CREATE INDEX ix_canaries_hour ON canaries (hour);
COMMENT ON TABLE canaries IS 'synthetic attacks, and how far each of them came';
COMMENT ON COLUMN canaries.hour IS 'of its events';
COMMENT ON COLUMN canaries.parsed_at IS 'its row was loaded, and set aside';
COMMENT ON COLUMN canaries.digested_at IS 'the digest of its window was made of that hour';
COMMENT ON COLUMN canaries.reported_at IS 'the report was made of that digest';

-- The rustbuckets, without their tokens.
CREATE OR REPLACE VIEW fleet AS
SELECT
    id AS rustbucket_id, name, status, base_url, logs_url, http_allowed, ip_address, os, registered_at, approved_at,
    retired_at, last_seen, last_log_at
FROM rustbuckets
WHERE id <> 'BKT999999999999999999';

-- The registry's table of pulled logs: one row per segment, `log` being its key in the archive,
-- `log_size` megabytes (10^6 bytes) of log.
CREATE OR REPLACE VIEW logs AS
SELECT
    segments.id,
    rustbuckets.name,
    rustbuckets.ip_address,
    segments.object_key AS log,
    round((segments.byte_end - segments.byte_start) / 1000000.0, 6) AS log_size,
    segments.pulled_at AS created_at
FROM segments
JOIN rustbuckets ON rustbuckets.id = segments.rustbucket_id
WHERE rustbuckets.id <> 'BKT999999999999999999';

-- The newest trusted event time archived of each rustbucket; null: nothing yet. An empty listing moves nothing.
CREATE OR REPLACE VIEW rustbucket_watermarks AS
SELECT
    rustbuckets.id AS rustbucket_id,
    max(segments.last_event_ts) AS watermark
FROM rustbuckets
LEFT JOIN segments ON segments.rustbucket_id = rustbuckets.id
WHERE rustbuckets.id <> 'BKT999999999999999999'
GROUP BY rustbuckets.id
