-- Events and quarantine entries where no true record lies.
SELECT '' AS subject, 0 AS expected, count(*) FILTER (WHERE identity IS NULL) AS found FROM placed
