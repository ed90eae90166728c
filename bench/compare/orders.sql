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

-- Versions that a later one has taken the place of.
CREATE TABLE superseded_versions (
  order_id uuid   NOT NULL,
  version  bigint NOT NULL,
  content  jsonb  NOT NULL,
  PRIMARY KEY (order_id, version)
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

CREATE FUNCTION update_order(wanted_guid uuid, wanted_order uuid, wanted_version bigint, wanted jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  print    bytea := sha256(convert_to(wanted_order::text || wanted_version || wanted::text, 'UTF8'));
  answer   jsonb := jsonb_build_object('code', 200, 'order_id', wanted_order, 'version', wanted_version + 1, 'order', wanted);
  known    messages%ROWTYPE;
  replaced jsonb;
  current  bigint;
BEGIN
  SELECT * INTO known FROM messages WHERE guid = wanted_guid;
  IF FOUND THEN
    RETURN CASE WHEN known.fingerprint = print THEN known.response ELSE '{"code": 422}' END;
  END IF;
  SELECT version, content INTO current, replaced FROM orders WHERE order_id = wanted_order FOR UPDATE;
  IF current IS NULL THEN
    RETURN '{"code": 404}';
  ELSIF current = wanted_version THEN
    INSERT INTO superseded_versions VALUES (wanted_order, current, replaced);
    UPDATE orders SET version = current + 1, content = wanted WHERE order_id = wanted_order;
  ELSE
    answer := jsonb_build_object('code', 3043, 'current_version', current, 'supplied_version', wanted_version);
  END IF;
  -- Of two requests with one GUID at the same time the second fails here, as a whole, and finds the answer when it is repeated.
  INSERT INTO messages VALUES (wanted_guid, print, answer, now() + interval '24 hours');
  RETURN answer;
END
$$;

-- The orders that are updated, before they are: their ids can be told from their numbers, and are spread as random ones are.
CREATE FUNCTION order_id_of(number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT md5(number::text)::uuid $$;

CREATE FUNCTION make_orders(how_many bigint, content jsonb) RETURNS void LANGUAGE sql AS $$
  INSERT INTO orders SELECT order_id_of(number), 1, 'c-1001', content FROM generate_series(1, how_many) AS number
$$;
