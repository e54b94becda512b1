-- Bytes that are no record: whose, where, why, and the first of them, escaped: what isn't ASCII is \NNN, octal.
CREATE VIEW quarantined AS
SELECT
    segments.rustbucket_id,
    quarantine.event_ts,
    quarantine.segment_id,
    quarantine.byte_offset,
    quarantine.byte_length,
    quarantine.reason,
    encode(quarantine.excerpt, 'escape') AS excerpt
FROM quarantine
JOIN segments ON segments.id = quarantine.segment_id
