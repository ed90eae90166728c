-- Captures: who may execute a request that another server answers, and what that answered.

CREATE TABLE captures (
  idempotency_key  text        PRIMARY KEY CHECK (octet_length(idempotency_key) BETWEEN 1 AND 1024 AND idempotency_key !~ '[^A-Za-z0-9_-]'),
  state            text        NOT NULL CHECK (state IN ('allocated', 'completed')),
  allocated_at     timestamptz NOT NULL,
  lease_ends_at    timestamptz CHECK (lease_ends_at >= allocated_at),
  expires_at       timestamptz CHECK (expires_at >= allocated_at),
  response_status  integer     CHECK (response_status BETWEEN 100 AND 999),
  response_body    bytea,
  response_headers jsonb       CHECK (jsonb_typeof(response_headers) = 'array'),
  position         bigint      NOT NULL CHECK (position >= 1),
  CHECK (CASE state
           WHEN 'completed' THEN lease_ends_at IS NULL AND expires_at IS NOT NULL AND response_status IS NOT NULL
                                 AND response_body IS NOT NULL AND response_headers IS NOT NULL
           ELSE response_status IS NULL AND response_body IS NULL AND response_headers IS NULL
         END)
);

CREATE INDEX captures_by_expiry ON captures (expires_at);

COMMENT ON TABLE captures IS 'Every capture as it is at the position of engine_positions. Those that have expired are dropped by the engine, a while later.';
COMMENT ON COLUMN captures.idempotency_key IS 'The client''s name for the captured request: base64url without padding.';
COMMENT ON COLUMN captures.state IS 'allocated: somebody executes the request, or did and never told. completed: its answer is here.';
COMMENT ON COLUMN captures.allocated_at IS 'When it was allocated, anew if somebody took it over.';
COMMENT ON COLUMN captures.lease_ends_at IS 'Of an allocation: until when nobody else may take it over; null: for ever.';
COMMENT ON COLUMN captures.expires_at IS 'Until when it is kept; null: for ever.';
COMMENT ON COLUMN captures.response_status IS 'Of a completed capture the status of the answer.';
COMMENT ON COLUMN captures.response_body IS 'Of a completed capture the body of the answer, UTF-8: convert_from(response_body, ''UTF8''), unless it holds U+0000.';
COMMENT ON COLUMN captures.response_headers IS 'Of a completed capture the headers of the answer in their order: a list of {"key", "value"}, each value a string or a list of strings.';
COMMENT ON COLUMN captures.position IS 'The place in the log of its last change.';
