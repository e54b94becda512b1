-- Lines that attackers made up: kept, as the bytes they are, but none at full trust.
SELECT '' AS subject,
       (SELECT count(DISTINCT identity) FROM true_places WHERE forged) AS expected,
       (SELECT count(*) FROM placed WHERE forged AND trust < 1) AS found
