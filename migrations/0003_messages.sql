-- The messages: what each GUID asked for and what it was answered.

-- What can't be told from the versions of orders. An accepted message is answered with the version that it made, and most of them
-- asked for just that; with both written out a second time Postgres would take half as many messages a second.
CREATE TABLE message_records (
  guid           text        NOT NULL CHECK (octet_length(guid) BETWEEN 1 AND 255 AND guid !~ '[^!-~]'),
  fingerprint    bytea       NOT NULL CHECK (octet_length(fingerprint) = 16),
  verdict        text        NOT NULL CHECK (verdict IN ('order_created', 'content_changed', 'status_changed', 'stale_version', 'status_not_allowed', 'order_closed')),
  order_id       uuid        NOT NULL,
  version        bigint      NOT NULL CHECK (version >= 1),
  status         text        NOT NULL CHECK (status IN ('new', 'confirmed', 'shipped', 'delivered', 'cancelled')),
  wanted_status  text        CHECK (wanted_status IN ('new', 'confirmed', 'shipped', 'delivered', 'cancelled')),
  made_against   bigint      CHECK (made_against >= 1),
  by_if_match    boolean     NOT NULL,
  request        jsonb,
  response       jsonb,
  created_at     timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL CHECK (expires_at >= created_at),
  position       bigint      NOT NULL CHECK (position >= 1),
  PRIMARY KEY (guid, created_at),
  CHECK (verdict IN ('order_created', 'content_changed', 'status_changed') OR (request IS NOT NULL AND response IS NOT NULL))
) PARTITION BY RANGE (created_at);

COMMENT ON TABLE message_records IS 'Every message that was recorded, one a position of the log; see the view messages. Partitioned by month of created_at: old months may be dropped once their messages have expired.';
COMMENT ON COLUMN message_records.guid IS 'The client''s name for the message (Idempotency-Key). May come again once the earlier message of that name has expired.';
COMMENT ON COLUMN message_records.fingerprint IS '128-bit hash of what the message asks for: a repeat must have the same one.';
COMMENT ON COLUMN message_records.verdict IS 'What was decided. The first three are accepted, the others rejected.';
COMMENT ON COLUMN message_records.order_id IS 'The order that was written, or that the rejection speaks of.';
COMMENT ON COLUMN message_records.version IS 'Accepted: the version that the message made. Rejected: the order''s version at that moment.';
COMMENT ON COLUMN message_records.status IS 'The order''s status at that version.';
COMMENT ON COLUMN message_records.wanted_status IS 'Only for status_not_allowed: the status that was asked for.';
COMMENT ON COLUMN message_records.made_against IS 'The version that the client named; null for a create.';
COMMENT ON COLUMN message_records.by_if_match IS 'Whether the client named it by If-Match, which decides between 409 and 412.';
COMMENT ON COLUMN message_records.request IS 'Of merge patches and rejected messages the request in canonical form, {"method", "path", "body"}; null where the version tells it.';
COMMENT ON COLUMN message_records.response IS 'Of rejected messages the answer, {"status", "code", "body"}; null where the version tells it.';
COMMENT ON COLUMN message_records.created_at IS 'When it was decided.';
COMMENT ON COLUMN message_records.expires_at IS 'Until when a repeat gets this answer.';
COMMENT ON COLUMN message_records.position IS 'The message''s place in the log.';

CREATE FUNCTION ordem_content(what order_versions) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('customer_id', what.customer_id, 'currency', what.currency, 'items', what.items)
         || CASE WHEN what.attributes IS NULL THEN '{}' ELSE jsonb_build_object('attributes', what.attributes) END
$$;
COMMENT ON FUNCTION ordem_content(order_versions) IS 'What a client writes of an order, as in the body of a create.';

CREATE FUNCTION ordem_order(what order_versions) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT ordem_content(what)
         || jsonb_build_object('order_id', what.order_id, 'version', what.version, 'status', what.status, 'total', what.total,
              'created_at', to_char(what.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
              'updated_at', to_char(what.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
$$;
COMMENT ON FUNCTION ordem_order(order_versions) IS 'An order at a version, as in the answers of the HTTP interface.';

CREATE VIEW messages AS
  SELECT m.guid, m.fingerprint, m.verdict, m.order_id, m.version, m.status, m.wanted_status, m.made_against, m.by_if_match,
         CASE WHEN m.request IS NOT NULL THEN m.request
              WHEN v.version IS NULL THEN NULL
              WHEN m.verdict = 'order_created' THEN
                jsonb_build_object('method', 'POST', 'path', '/api/v1/orders', 'body', ordem_content(v))
              WHEN m.verdict = 'content_changed' THEN
                jsonb_build_object('method', 'PUT', 'path', '/api/v1/orders/' || m.order_id,
                                   'body', ordem_content(v) || jsonb_build_object('version', m.made_against))
              ELSE
                jsonb_build_object('method', 'POST', 'path', '/api/v1/orders/' || m.order_id || '/status',
                                   'body', jsonb_build_object('status', v.status, 'version', m.made_against))
         END AS request,
         CASE WHEN m.response IS NOT NULL THEN m.response
              WHEN v.version IS NULL THEN NULL
              WHEN m.verdict = 'order_created' THEN
                jsonb_build_object('status', 201, 'code', 201, 'body',
                                   jsonb_build_object('code', 201, 'message', 'order created', 'order', ordem_order(v)))
              ELSE
                jsonb_build_object('status', 200, 'code', 200, 'body',
                                   jsonb_build_object('code', 200, 'message', 'order updated', 'order', ordem_order(v)))
         END AS response,
         m.created_at, m.expires_at, m.position
  FROM message_records m
  LEFT JOIN order_versions v
    ON v.order_id = m.order_id AND v.version = m.version
   AND m.verdict IN ('order_created', 'content_changed', 'status_changed');

COMMENT ON VIEW messages IS 'Every message with its request and its answer written out. Both are null where the version that told them was dropped with an old month.';
COMMENT ON COLUMN messages.guid IS 'The client''s name for the message (Idempotency-Key).';
COMMENT ON COLUMN messages.fingerprint IS '128-bit hash of what the message asks for.';
COMMENT ON COLUMN messages.verdict IS 'What was decided. The first three are accepted, the others rejected.';
COMMENT ON COLUMN messages.order_id IS 'The order that was written, or that the rejection speaks of.';
COMMENT ON COLUMN messages.version IS 'Accepted: the version that the message made. Rejected: the order''s version at that moment.';
COMMENT ON COLUMN messages.status IS 'The order''s status at that version.';
COMMENT ON COLUMN messages.wanted_status IS 'Only for status_not_allowed: the status that was asked for.';
COMMENT ON COLUMN messages.made_against IS 'The version that the client named; null for a create.';
COMMENT ON COLUMN messages.by_if_match IS 'Whether the client named it by If-Match.';
COMMENT ON COLUMN messages.request IS 'The request in canonical form: {"method", "path", "body"}.';
COMMENT ON COLUMN messages.response IS 'The answer: {"status", "code", "body"}.';
COMMENT ON COLUMN messages.created_at IS 'When it was decided.';
COMMENT ON COLUMN messages.expires_at IS 'Until when a repeat gets this answer.';
COMMENT ON COLUMN messages.position IS 'The message''s place in the log.';
