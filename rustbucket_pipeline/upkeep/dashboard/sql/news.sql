-- How much was new in these windows.
SELECT
    (SELECT count(DISTINCT fingerprint) FROM clusters WHERE is_new AND window_start >= :since AND window_start < :until)
        AS behaviours,
    (SELECT count(DISTINCT (type, value)) FROM indicators WHERE is_new AND window_start >= :since AND window_start < :until)
        AS indicators
