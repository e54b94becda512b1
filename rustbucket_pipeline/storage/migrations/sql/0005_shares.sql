-- What each rustbucket's rows of an hour were made of: an hour built again loads only what isn't that any more.
ALTER TABLE hour_counts
    ADD COLUMN inputs_version text NOT NULL DEFAULT '',
    ADD COLUMN output_version text NOT NULL DEFAULT '';

COMMENT ON COLUMN hour_counts.inputs_version IS 'hash of what these rows were made of';
COMMENT ON COLUMN hour_counts.output_version IS 'hash of these rows';
