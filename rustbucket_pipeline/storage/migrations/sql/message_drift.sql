-- Messages of no known template: what each is like, and where and when it was met.
CREATE VIEW message_drift AS
SELECT
    target,
    template,
    sum(records)::bigint AS records,
    count(DISTINCT rustbucket_id) AS rustbuckets,
    min(hour) AS first_hour,
    max(hour) AS last_hour
FROM unknown_templates
GROUP BY target, template
