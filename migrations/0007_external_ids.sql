-- The client's own names for orders, and the versions that merge two others. What is there already has neither.

ALTER TABLE orders
  ADD COLUMN external_id text CHECK (char_length(external_id) BETWEEN 1 AND 128 AND external_id !~ '[\u0001-\u001f\u007f-\u009f]'),
  ADD COLUMN merged_from bigint CHECK (merged_from >= 1 AND merged_from < version - 1);
ALTER TABLE order_versions
  ADD COLUMN external_id text CHECK (char_length(external_id) BETWEEN 1 AND 128 AND external_id !~ '[\u0001-\u001f\u007f-\u009f]'),
  ADD COLUMN merged_from bigint CHECK (merged_from >= 1 AND merged_from < version - 1);

-- Orders without an external id have no entry in it.
CREATE INDEX orders_by_external_id ON orders (tenant, external_id, order_id DESC) WHERE external_id IS NOT NULL;

COMMENT ON COLUMN orders.external_id IS 'The client''s own name for the order; null if it has none. Several orders may have the same.';
COMMENT ON COLUMN orders.merged_from IS 'Of a present version that merges an update into a newer version: the version that the client had. Else null.';
COMMENT ON COLUMN order_versions.external_id IS 'The client''s own name for the order, as in orders, at this version.';
COMMENT ON COLUMN order_versions.merged_from IS 'Of a version that merges an update into a newer version: the version that the client had; the other one is version - 1. Else null.';

CREATE OR REPLACE FUNCTION ordem_content(what order_versions) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object('customer_id', what.customer_id, 'currency', what.currency, 'items', what.items)
         || CASE WHEN what.attributes IS NULL THEN '{}' ELSE jsonb_build_object('attributes', what.attributes) END
         || CASE WHEN what.external_id IS NULL THEN '{}' ELSE jsonb_build_object('external_id', what.external_id) END
$$;

CREATE OR REPLACE FUNCTION ordem_order(what order_versions) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT ordem_content(what)
         || jsonb_build_object('order_id', what.order_id, 'version', what.version, 'status', what.status, 'total', what.total,
              'created_at', to_char(what.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
              'updated_at', to_char(what.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
         || CASE WHEN what.merged_from IS NULL THEN '{}' ELSE jsonb_build_object('merged_from', what.merged_from) END
         || CASE WHEN what.actor = '' THEN '{}' ELSE jsonb_build_object('actor', what.actor) END
$$;
