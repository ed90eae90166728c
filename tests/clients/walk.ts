// What a shop does with orders, by any client. An adapter maps each generated client to `Client`; that it compiles says that the types of
// the document have these members.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

export interface Item {
  sku: string;
  quantity: number;
  unit_price: number;
}

export interface Content {
  customer_id: string;
  currency: string;
  items: Item[];
  attributes?: Record<string, unknown>;
}

export interface Order extends Content {
  order_id: string;
  version: number;
  status: string;
  total: number;
  created_at: string;
}

// Members are optional, because swagger-typescript-api makes those of a schema that is a choice of others optional.
export interface Problem {
  code?: number;
  type?: string;
  current_version?: number;
}

// What a write was answered: an order, or the problem.
export interface Written {
  status: number;
  replayed: boolean;
  order?: Order;
  problem?: Problem;
}

export interface Page<T> {
  rows: T[];
  next_cursor: string | null;
}

export interface Verdict {
  status: number;
  order_id?: string;
  version?: number;
  problem?: { code: number };
}

export interface Message {
  state: string;
  order_id: string | null;
  version: number | null;
  response: { status: number; code: number };
}

// `key` is the GUID of a write, `version` the one that it is based on.
export interface Client {
  create(key: string, content: Content): Promise<Written>;
  read(id: string): Promise<Order>;
  replace(id: string, key: string, version: number, content: Content): Promise<Written>;
  merge(id: string, key: string, version: number, attributes: Record<string, unknown>): Promise<Written>;
  move(id: string, key: string, version: number, status: 'confirmed' | 'cancelled'): Promise<Written>;
  list(customer: string, limit: number, cursor?: string): Promise<Page<Order>>;
  versions(id: string): Promise<Page<Order>>;
  version(id: string, n: number): Promise<Order>;
  message(guid: string): Promise<Message>;
  batch(lines: string): Promise<string>;
  allocate(key: string): Promise<{ status: number; recorded?: string }>;
  record(key: string, status: number, body: string): Promise<number>;
  release(key: string): Promise<number>;
  position(): Promise<{ durable: number }>;
}

const content = (customer: string, quantity: number): Content =>
  ({ customer_id: customer, currency: 'EUR', items: [{ sku: 'A-1', quantity, unit_price: 1999 }] });

// Rejects with the first difference from what the document promises.
export async function walk(client: Client): Promise<void> {
  const customer = `c-${randomUUID()}`;
  const [first, second] = [randomUUID(), randomUUID()];

  const created = await client.create(first, content(customer, 2));
  assert.equal(created.status, 201);
  assert.equal(created.replayed, false);
  assert.ok(created.order);
  const id = created.order.order_id;
  assert.deepEqual([created.order.version, created.order.status, created.order.total], [1, 'new', 3998]);

  const again = await client.create(first, content(customer, 2));
  assert.deepEqual([again.status, again.replayed, again.order], [201, true, created.order]);
  assert.deepEqual(await client.read(id), created.order);

  const replaced = await client.replace(id, second, 1, content(customer, 3));
  assert.deepEqual([replaced.status, replaced.order?.version, replaced.order?.total], [200, 2, 5997]);
  const merged = await client.merge(id, randomUUID(), 2, { gift: true });
  assert.deepEqual([merged.status, merged.order?.version, merged.order?.attributes], [200, 3, { gift: true }]);

  const staleKey = randomUUID();
  const stale = await client.replace(id, staleKey, 1, content(customer, 4));
  assert.deepEqual([stale.status, stale.problem?.code, stale.problem?.type, stale.problem?.current_version], [409, 3043, '/problems/stale-version', 3]);
  const staleAgain = await client.replace(id, staleKey, 1, content(customer, 4));
  assert.deepEqual([staleAgain.replayed, staleAgain.problem], [true, stale.problem]);
  const reused = await client.create(first, content(customer, 5));
  assert.deepEqual([reused.status, reused.problem?.type], [422, '/problems/guid-reused']);

  const confirmed = await client.move(id, randomUUID(), 3, 'confirmed');
  assert.deepEqual([confirmed.status, confirmed.order?.status], [200, 'confirmed']);

  assert.deepEqual((await client.versions(id)).rows.map(({ version }) => version), [4, 3, 2, 1]);
  assert.equal((await client.version(id, 2)).total, 5997);
  const message = await client.message(first);
  assert.deepEqual([message.state, message.order_id, message.version, message.response.status], ['completed', id, 1, 201]);
  assert.deepEqual((await client.message(staleKey)).response, { status: 409, code: 3043 });

  const lines = [
    { op: 'create', idempotency_key: randomUUID(), order: content(customer, 1) },
    { op: 'status', idempotency_key: randomUUID(), order_id: id, version: 4, status: 'cancelled' },
    { op: 'status', idempotency_key: randomUUID(), order_id: id, version: 4, status: 'cancelled' },
  ].map((line) => `${JSON.stringify(line)}\n`).join('');
  for (const round of ['executed', 'replayed']) {
    const verdicts = (await client.batch(lines)).trim().split('\n').map((line) => JSON.parse(line) as Verdict);
    assert.deepEqual(verdicts.map(({ status, problem }) => [status, problem?.code]), [[201, undefined], [200, undefined], [409, 3043]], round);
  }

  const page = await client.list(customer, 1);
  assert.equal(page.rows.length, 1);
  assert.ok(page.next_cursor);
  const rest = await client.list(customer, 1, page.next_cursor);
  assert.deepEqual([rest.rows[0]?.order_id, rest.rows[0]?.version, rest.next_cursor], [id, 5, null]);

  const capture = Buffer.from(randomUUID()).toString('base64url');
  assert.deepEqual(await client.allocate(capture), { status: 202 });
  assert.deepEqual(await client.allocate(capture), { status: 409 });
  assert.equal(await client.release(capture), 204);
  assert.deepEqual(await client.allocate(capture), { status: 202 });
  assert.equal(await client.record(capture, 201, 'done'), 200);
  assert.deepEqual(await client.allocate(capture), { status: 200, recorded: 'done' });
  assert.equal(await client.record(capture, 201, 'done'), 403);
  assert.ok((await client.position()).durable > 0);
}
