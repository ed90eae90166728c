-- The job of Ordem done by PostgreSQL alone, as one would write it: a GUID is executed once and answered alike ever after. One
-- call of a function a request, one transaction a call.

CREATE TABLE orders (
  order_id    uuid   PRIMARY KEY DEFAULT gen_random_uuid(),
  version     bigint NOT NULL,
  customer_id text   NOT NULL,
  content     jsonb  NOT NULL
);
CREATE INDEX orders_by_customer ON orders (customer_id);

CREATE TABLE messages (
  guid        uuid PRIMARY KEY,
  fingerprint bytea       NOT NULL,
  response    jsonb       NOT NULL,
  expires_at  timestamptz NOT NULL
);

CREATE FUNCTION create_order(wanted_guid uuid, customer text, wanted jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  print  bytea := sha256(convert_to(customer || wanted::text, 'UTF8'));
  id     uuid  := gen_random_uuid();
  answer jsonb := jsonb_build_object('code', 201, 'order_id', id, 'version', 1, 'order', wanted);
  known  messages%ROWTYPE;
BEGIN
  INSERT INTO messages VALUES (wanted_guid, print, answer, now() + interval '24 hours') ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    SELECT * INTO known FROM messages WHERE guid = wanted_guid;
    RETURN CASE WHEN known.fingerprint = print THEN known.response ELSE '{"code": 422}' END;
  END IF;
  INSERT INTO orders VALUES (id, 1, customer, wanted);
  RETURN answer;
END
$$;
