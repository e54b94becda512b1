-- An hour of a rustbucket in numbers. `counted` is a lower bound where `refused` isn't 0, and under a flood.
CREATE VIEW hourly_counts AS
SELECT
    hour,
    rustbucket_id,
    events,
    counted,
    refused,
    suspects,
    unknown_messages,
    own,
    redacted,
    quarantined,
    duplicates,
    archived_bytes,
    event_bytes,
    quarantined_bytes,
    duplicate_bytes
FROM hour_counts
