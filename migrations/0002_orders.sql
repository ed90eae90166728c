-- Orders as they are, and every version that they had. The constraints are those of the HTTP contract.

CREATE TABLE orders (
  order_id    uuid        PRIMARY KEY,
  version     bigint      NOT NULL CHECK (version >= 1),
  status      text        NOT NULL CHECK (status IN ('new', 'confirmed', 'shipped', 'delivered', 'cancelled')),
  customer_id text        NOT NULL CHECK (char_length(customer_id) BETWEEN 1 AND 128),
  currency    text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  items       jsonb       NOT NULL CHECK (jsonb_typeof(items) = 'array' AND jsonb_array_length(items) BETWEEN 1 AND 500),
  total       bigint      NOT NULL CHECK (total BETWEEN 0 AND 9007199254740991),
  attributes  jsonb       CHECK (jsonb_typeof(attributes) = 'object'),
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL CHECK (updated_at >= created_at),
  position    bigint      NOT NULL CHECK (position >= 1)
);

CREATE INDEX orders_by_customer ON orders (customer_id, order_id DESC);
CREATE INDEX orders_by_status ON orders (status, updated_at);

COMMENT ON TABLE orders IS 'Every order as it is at the position of engine_positions.';
COMMENT ON COLUMN orders.order_id IS 'UUIDv7: ascends with the time of creation.';
COMMENT ON COLUMN orders.version IS '1, 2, 3, ... without gaps: how often the order has been written.';
COMMENT ON COLUMN orders.status IS 'new, confirmed, shipped, delivered or cancelled.';
COMMENT ON COLUMN orders.customer_id IS 'The customer''s id, given by the client.';
COMMENT ON COLUMN orders.currency IS 'Three capital letters, as in ISO 4217.';
COMMENT ON COLUMN orders.items IS 'A list of {"sku", "quantity", "unit_price"}; prices in minor units of the currency.';
COMMENT ON COLUMN orders.total IS 'The sum of quantity times unit price, in minor units of the currency.';
COMMENT ON COLUMN orders.attributes IS 'The client''s own members; null if there are none.';
COMMENT ON COLUMN orders.created_at IS 'When version 1 was decided.';
COMMENT ON COLUMN orders.updated_at IS 'When the present version was decided.';
COMMENT ON COLUMN orders.position IS 'The place in the log of the message that made the present version.';

CREATE TABLE order_versions (
  order_id    uuid        NOT NULL,
  version     bigint      NOT NULL CHECK (version >= 1),
  status      text        NOT NULL CHECK (status IN ('new', 'confirmed', 'shipped', 'delivered', 'cancelled')),
  customer_id text        NOT NULL CHECK (char_length(customer_id) BETWEEN 1 AND 128),
  currency    text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  items       jsonb       NOT NULL CHECK (jsonb_typeof(items) = 'array' AND jsonb_array_length(items) BETWEEN 1 AND 500),
  total       bigint      NOT NULL CHECK (total BETWEEN 0 AND 9007199254740991),
  attributes  jsonb       CHECK (jsonb_typeof(attributes) = 'object'),
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL CHECK (updated_at >= created_at),
  position    bigint      NOT NULL CHECK (position >= 1),
  PRIMARY KEY (order_id, version, updated_at)
) PARTITION BY RANGE (updated_at);

COMMENT ON TABLE order_versions IS 'Every version that an order has had, the present one too. Partitioned by month of updated_at: old months may be dropped.';
COMMENT ON COLUMN order_versions.order_id IS 'The order.';
COMMENT ON COLUMN order_versions.version IS '1, 2, 3, ... without gaps.';
COMMENT ON COLUMN order_versions.status IS 'As in orders, at this version; so are the columns up to total and attributes.';
COMMENT ON COLUMN order_versions.customer_id IS 'The customer''s id.';
COMMENT ON COLUMN order_versions.currency IS 'Three capital letters, as in ISO 4217.';
COMMENT ON COLUMN order_versions.items IS 'A list of {"sku", "quantity", "unit_price"}; prices in minor units of the currency.';
COMMENT ON COLUMN order_versions.total IS 'The sum of quantity times unit price, in minor units of the currency.';
COMMENT ON COLUMN order_versions.attributes IS 'The client''s own members; null if there are none.';
COMMENT ON COLUMN order_versions.created_at IS 'When version 1 of the order was decided.';
COMMENT ON COLUMN order_versions.updated_at IS 'When this version was decided.';
COMMENT ON COLUMN order_versions.position IS 'The place in the log of the message that made this version.';
