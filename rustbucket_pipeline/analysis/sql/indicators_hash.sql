-- One hash over all indicators of the window, so that the digest's hash covers those it doesn't show.
SELECT encode(sha256(convert_to(
    coalesce(string_agg(concat_ws(E'\t', type, value, is_new, events), E'\n' ORDER BY type COLLATE "C", value COLLATE "C"), ''), 'UTF8'
)), 'hex')
FROM judged_indicators
