"""A window of rows → digest → findings by rule → report, with Claude's words where a key is set. No Dagster."""
