-- Whose each row is, and who wrote it. What is there already was written without an identity: its tenant and its actor are empty.

ALTER TABLE orders
  ADD COLUMN tenant text NOT NULL DEFAULT '' CHECK (octet_length(tenant) <= 255),
  ADD COLUMN actor  text NOT NULL DEFAULT '' CHECK (octet_length(actor) <= 255);
ALTER TABLE order_versions
  ADD COLUMN tenant text NOT NULL DEFAULT '' CHECK (octet_length(tenant) <= 255),
  ADD COLUMN actor  text NOT NULL DEFAULT '' CHECK (octet_length(actor) <= 255);
ALTER TABLE message_records
  ADD COLUMN tenant text NOT NULL DEFAULT '' CHECK (octet_length(tenant) <= 255),
  ADD COLUMN actor  text NOT NULL DEFAULT '' CHECK (octet_length(actor) <= 255);
ALTER TABLE captures
  ADD COLUMN tenant text NOT NULL DEFAULT '' CHECK (octet_length(tenant) <= 255),
  ADD COLUMN actor  text NOT NULL DEFAULT '' CHECK (octet_length(actor) <= 255);

-- Two tenants may use the same GUIDs, keys of captures and customers. The ids of orders are unique among all tenants.
ALTER TABLE message_records DROP CONSTRAINT message_records_pkey, ADD PRIMARY KEY (tenant, guid, created_at);
ALTER TABLE captures DROP CONSTRAINT captures_pkey, ADD PRIMARY KEY (tenant, idempotency_key);
DROP INDEX orders_by_customer;
CREATE INDEX orders_by_customer ON orders (tenant, customer_id, order_id DESC);

COMMENT ON COLUMN orders.tenant IS 'Whose order it is; never changes. Empty for what was written without an identity, and for identities without a tenant.';
COMMENT ON COLUMN orders.actor IS 'The name of the identity that wrote the present version; empty if it had none.';
COMMENT ON COLUMN order_versions.tenant IS 'Whose order it is, as in orders.';
COMMENT ON COLUMN order_versions.actor IS 'The name of the identity that wrote this version; empty if it had none.';
COMMENT ON COLUMN message_records.tenant IS 'Whose GUID it is: the tenant of the identity that sent the message.';
COMMENT ON COLUMN message_records.actor IS 'The name of the identity that sent the message; empty if it had none.';
COMMENT ON COLUMN captures.tenant IS 'Whose key it is: the tenant of the identity that allocated it.';
COMMENT ON COLUMN captures.actor IS 'The name of the identity that allocated it; empty if it had none.';

CREATE OR REPLACE FUNCTION ordem_order(what order_versions) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT ordem_content(what)
         || jsonb_build_object('order_id', what.order_id, 'version', what.version, 'status', what.status, 'total', what.total,
              'created_at', to_char(what.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
              'updated_at', to_char(what.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
         || CASE WHEN what.actor = '' THEN '{}' ELSE jsonb_build_object('actor', what.actor) END
$$;

CREATE OR REPLACE VIEW messages AS
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
         m.created_at, m.expires_at, m.position, m.tenant, m.actor
  FROM message_records m
  LEFT JOIN order_versions v
    ON v.order_id = m.order_id AND v.version = m.version
   AND m.verdict IN ('order_created', 'content_changed', 'status_changed');

COMMENT ON COLUMN messages.tenant IS 'Whose GUID it is: the tenant of the identity that sent the message.';
COMMENT ON COLUMN messages.actor IS 'The name of the identity that sent the message; empty if it had none.';
