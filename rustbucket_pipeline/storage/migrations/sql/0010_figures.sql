-- What statistics found each time they were taken: the states that can't be asked for later, and sums beside them.
CREATE TABLE figures (
    figure text NOT NULL,
    taken_at timestamptz NOT NULL,
    value double precision NOT NULL,
    CONSTRAINT pk_figures PRIMARY KEY (figure, taken_at)
);
COMMENT ON TABLE figures IS 'one number each time statistics were taken';
COMMENT ON COLUMN figures.figure IS 'docs/statistics.md lists them';

CREATE VIEW statistics AS SELECT taken_at, figure, value FROM figures;
