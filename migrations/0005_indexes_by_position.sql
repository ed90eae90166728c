-- What came last, and what came after a position, without reading whole tables. The partitions that ordem_make_month makes from now on
-- get these indexes with all others of their parent.

CREATE INDEX orders_by_position ON orders (position);
CREATE INDEX order_versions_by_position ON order_versions (position);
CREATE INDEX message_records_by_position ON message_records (position);
CREATE INDEX captures_by_position ON captures (position);
