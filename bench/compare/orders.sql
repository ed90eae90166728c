-- The work of Ordem in PostgreSQL alone, written in the usual way: a GUID is executed once, and its repeats get the same answer.
-- A request is one function call, and a call is one transaction.

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

-- Versions that later ones have replaced.
CREATE TABLE superseded_versions (
  order_id uuid   NOT NULL,
  version  bigint NOT NULL,
  content  jsonb  NOT NULL,
  PRIMARY KEY (order_id, version)
);

CREATE FUNCTION create_order(request_guid uuid, customer text, new_content jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  digest bytea := sha256(convert_to(customer || new_content::text, 'UTF8'));
  id     uuid  := gen_random_uuid();
  answer jsonb := jsonb_build_object('code', 201, 'order_id', id, 'version', 1, 'order', new_content);
  known  messages%ROWTYPE;
BEGIN
  INSERT INTO messages VALUES (request_guid, digest, answer, now() + interval '24 hours') ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    SELECT * INTO known FROM messages WHERE guid = request_guid;
    RETURN CASE WHEN known.fingerprint = digest THEN known.response ELSE '{"code": 422}' END;
  END IF;
  INSERT INTO orders VALUES (id, 1, customer, new_content);
  RETURN answer;
END
$$;

CREATE FUNCTION update_order(request_guid uuid, target_order uuid, expected_version bigint, new_content jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  digest   bytea := sha256(convert_to(target_order::text || expected_version || new_content::text, 'UTF8'));
  answer   jsonb := jsonb_build_object('code', 200, 'order_id', target_order, 'version', expected_version + 1, 'order', new_content);
  known    messages%ROWTYPE;
  replaced jsonb;
  current  bigint;
BEGIN
  SELECT * INTO known FROM messages WHERE guid = request_guid;
  IF FOUND THEN
    RETURN CASE WHEN known.fingerprint = digest THEN known.response ELSE '{"code": 422}' END;
  END IF;
  SELECT version, content INTO current, replaced FROM orders WHERE order_id = target_order FOR UPDATE;
  IF current IS NULL THEN
    RETURN '{"code": 404}';
  ELSIF current = expected_version THEN
    INSERT INTO superseded_versions VALUES (target_order, current, replaced);
    UPDATE orders SET version = current + 1, content = new_content WHERE order_id = target_order;
  ELSE
    answer := jsonb_build_object('code', 3043, 'current_version', current, 'supplied_version', expected_version);
  END IF;
  -- Of two concurrent requests with one GUID the second fails here and is rolled back; its repeat finds the answer.
  INSERT INTO messages VALUES (request_guid, digest, answer, now() + interval '24 hours');
  RETURN answer;
END
$$;

-- Returns the id of the order with this number. The ids are as scattered as random ones.
CREATE FUNCTION order_id_of(number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT md5(number::text)::uuid $$;

CREATE FUNCTION make_orders(how_many bigint, content jsonb) RETURNS void LANGUAGE sql AS $$
  INSERT INTO orders SELECT order_id_of(number), 1, 'c-1001', content FROM generate_series(1, how_many) AS number
$$;
