-- What counts: per action one record, whatever else is told of it.
WITH kinds (kind, event_type, plural) AS (
    VALUES ('connection', 'connection', 'connections'), ('login', 'authentication', 'login attempts'),
           ('command', 'command', 'commands'), ('request', 'request', 'web requests'),
           ('mail', 'mail', 'mails'), ('session', 'session', 'session ends')
)
SELECT kinds.plural AS subject,
       (SELECT count(DISTINCT identity) FROM true_places WHERE fate = 'event' AND true_places.kind = kinds.kind) AS expected,
       (SELECT count(*) FROM placed
        WHERE fate = 'event' AND placed.kind IS NOT NULL AND counted AND placed.event_type = kinds.event_type) AS found
FROM kinds
ORDER BY subject
