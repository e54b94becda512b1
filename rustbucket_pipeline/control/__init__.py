"""What runs when: the jobs (one table), the plan (pure), Dagster's own records. No stage's work is done here."""
