-- The messages: what each GUID asked for and what it was answered.

CREATE TABLE messages (
  guid           text        NOT NULL CHECK (guid ~ '^[!-~]{1,255}$'),
  fingerprint    bytea       NOT NULL CHECK (octet_length(fingerprint) = 16),
  verdict        text        NOT NULL CHECK (verdict IN ('order_created', 'content_changed', 'status_changed', 'stale_version', 'status_not_allowed', 'order_closed')),
  order_id       uuid        NOT NULL,
  version        bigint      NOT NULL CHECK (version >= 1),
  status         text        NOT NULL CHECK (status IN ('new', 'confirmed', 'shipped', 'delivered', 'cancelled')),
  wanted_status  text        CHECK (wanted_status IN ('new', 'confirmed', 'shipped', 'delivered', 'cancelled')),
  made_against   bigint      CHECK (made_against >= 1),
  by_if_match    boolean     NOT NULL,
  request        jsonb       NOT NULL,
  response       jsonb       NOT NULL,
  created_at     timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL CHECK (expires_at >= created_at),
  position       bigint      NOT NULL CHECK (position >= 1),
  PRIMARY KEY (guid, created_at)
) PARTITION BY RANGE (created_at);

CREATE INDEX messages_by_order ON messages (order_id);

COMMENT ON TABLE messages IS 'Every message that was recorded, one a position of the log. Partitioned by month of created_at: old months may be dropped once their messages have expired.';
COMMENT ON COLUMN messages.guid IS 'The client''s name for the message (Idempotency-Key). May come again once the earlier message of that name has expired.';
COMMENT ON COLUMN messages.fingerprint IS '128-bit hash of what the message asks for: a repeat must have the same one.';
COMMENT ON COLUMN messages.verdict IS 'What was decided. The first three are accepted, the others rejected.';
COMMENT ON COLUMN messages.order_id IS 'The order that was written, or that the rejection speaks of.';
COMMENT ON COLUMN messages.version IS 'Accepted: the version that the message made. Rejected: the order''s version at that moment.';
COMMENT ON COLUMN messages.status IS 'The order''s status at that version.';
COMMENT ON COLUMN messages.wanted_status IS 'Only for status_not_allowed: the status that was asked for.';
COMMENT ON COLUMN messages.made_against IS 'The version that the client named; null for a create.';
COMMENT ON COLUMN messages.by_if_match IS 'Whether the client named it by If-Match, which decides between 409 and 412.';
COMMENT ON COLUMN messages.request IS 'The request in canonical form: {"method", "path", "body"}.';
COMMENT ON COLUMN messages.response IS 'The answer: {"status", "code", "body"}.';
COMMENT ON COLUMN messages.created_at IS 'When it was decided.';
COMMENT ON COLUMN messages.expires_at IS 'Until when a repeat gets this answer.';
COMMENT ON COLUMN messages.position IS 'The message''s place in the log.';
