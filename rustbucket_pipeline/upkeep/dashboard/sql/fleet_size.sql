SELECT count(*) FROM rustbuckets WHERE status <> 'inactive'
