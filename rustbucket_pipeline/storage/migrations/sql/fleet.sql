-- The rustbuckets, without their tokens.
CREATE VIEW fleet AS
SELECT
    id AS rustbucket_id, name, status, base_url, logs_url, http_allowed, ip_address, os, registered_at, approved_at,
    retired_at, last_seen, last_log_at
FROM rustbuckets
