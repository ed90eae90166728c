-- How far the engine's log has been written here, and by whom.

CREATE TABLE engine_positions (
  engine_id    uuid        PRIMARY KEY,
  epoch        bigint      NOT NULL CHECK (epoch >= 1),
  position     bigint      NOT NULL CHECK (position >= 0),
  claimed_at   timestamptz NOT NULL,
  persisted_at timestamptz NOT NULL
);

-- One log a database: a second one would mix its orders with the first one's.
CREATE UNIQUE INDEX engine_positions_only_one ON engine_positions ((true));

COMMENT ON TABLE engine_positions IS 'The engine whose log is kept here, and the last position of that log that all other tables hold. Moved in the same transaction as they are.';
COMMENT ON COLUMN engine_positions.engine_id IS 'Names the log: made with the data folder, kept by ordem restore.';
COMMENT ON COLUMN engine_positions.epoch IS 'Counts the starts of engines. An engine that finds another number than its own has been superseded and writes nothing more.';
COMMENT ON COLUMN engine_positions.position IS 'Everything up to this position of the log is here, nothing after it.';
COMMENT ON COLUMN engine_positions.claimed_at IS 'When the present epoch began.';
COMMENT ON COLUMN engine_positions.persisted_at IS 'When the position last moved.';

-- Makes the month of `at` (UTC) of a table that is partitioned by time, unless it is there. The engine calls it for this month and
-- the next ones, so that a row never waits for its partition. An old month is dropped with DROP TABLE <parent>_<year>_<month>.
CREATE FUNCTION ordem_make_month(parent text, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  first_day timestamp := date_trunc('month', at AT TIME ZONE 'UTC');
  name      text      := parent || to_char(first_day, '_YYYY_MM');
BEGIN
  IF to_regclass(quote_ident(name)) IS NULL THEN
    -- Made alone and then attached, which waits for no reader of the other months; CREATE TABLE ... PARTITION OF would.
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', name, parent);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, name,
                   first_day AT TIME ZONE 'UTC', (first_day + interval '1 month') AT TIME ZONE 'UTC');
  END IF;
END
$$;

COMMENT ON FUNCTION ordem_make_month(text, timestamptz) IS 'Makes the partition of one month (UTC) of a table that is partitioned by time, unless it is there.';
