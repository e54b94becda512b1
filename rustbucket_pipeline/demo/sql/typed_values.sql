-- Addresses, credentials and commands, where the record says them beyond doubt. The honeypot's capitals don't count.
SELECT shown.subject, count(*) AS expected, count(*) FILTER (WHERE shown.agrees) AS found
FROM placed
CROSS JOIN LATERAL (
    VALUES ('addresses', true_src_ip, src_ip IS NOT DISTINCT FROM true_src_ip),
           ('usernames', true_username, lower(username) IS NOT DISTINCT FROM lower(true_username)),
           ('passwords', true_password, lower(password) IS NOT DISTINCT FROM lower(true_password)),
           ('commands', true_command, btrim(command, E' \r\n') IS NOT DISTINCT FROM btrim(true_command, E' \r\n'))
) AS shown (subject, told, agrees)
WHERE placed.fate = 'event' AND shown.told IS NOT NULL
GROUP BY shown.subject
ORDER BY shown.subject
