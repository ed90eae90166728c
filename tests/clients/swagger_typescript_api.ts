// The client of swagger-typescript-api.

import { Api, type HttpResponse, type OrderCreated, type OrderUpdated } from './generated/swagger-typescript-api.js';
import type { Client, Problem, Written } from './walk.js';

const NDJSON = 'application/x-ndjson';

// It writes every text as a JSON string; a batch is sent as it is.
const sendAsIs: typeof fetch = (url, init) =>
  fetch(url, new Headers(init?.headers).get('Content-Type') === NDJSON ? { ...init, body: JSON.parse(String(init?.body)) as string } : init);

export function swaggerTypescriptApi(baseUrl: string): Client {
  // It sets no format for a call whose problems have another media type than its success.
  const client = new Api({ baseUrl, baseApiParams: { format: 'json' }, customFetch: sendAsIs });
  const { api } = client;

  async function written<E extends Problem>(call: Promise<HttpResponse<OrderCreated | OrderUpdated, E>>): Promise<Written> {
    const response = await call;
    return { status: response.status, replayed: response.headers.get('Idempotency-Replayed') === 'true', order: response.data?.order, problem: response.error ?? undefined };
  }

  // Returns the body of a success. Throws what the server answered otherwise.
  async function body<T, E>(call: Promise<HttpResponse<T, E>>): Promise<T> {
    const { ok, data, error } = await call;
    if (!ok) throw new Error(JSON.stringify(error));
    return data;
  }

  const keyed = (key: string) => ({ headers: { 'Idempotency-Key': `"${key}"` } });
  return {
    create: (key, content) => written(api.createOrder(content, keyed(key))),
    read: async (id) => (await body(api.getOrder(id))).order,
    replace: (id, key, version, content) => written(api.replaceOrder(id, { version, ...content }, keyed(key))),
    merge: (id, key, version, attributes) => written(api.mergeOrder(id, { version, attributes }, keyed(key))),
    move: (id, key, version, status) => written(api.changeOrderStatus(id, { version, status }, keyed(key))),
    list: async (customer_id, limit, cursor) => {
      const { orders, next_cursor } = await body(api.listCustomerOrders({ customer_id, limit, cursor }));
      return { rows: orders, next_cursor };
    },
    versions: async (id) => {
      const { versions, next_cursor } = await body(api.listOrderVersions(id));
      return { rows: versions, next_cursor };
    },
    version: async (id, n) => (await body(api.getOrderVersion(id, n))).order,
    message: async (guid) => {
      const { state, order_id, version, response } = await body(api.getMessage(guid));
      return { state, order_id, version, response: { status: response.status, code: response.code } };
    },
    batch: (lines) => body(api.writeOrders(lines, {}, { headers: { 'Content-Type': NDJSON }, format: 'text' })),
    allocate: async (idempotency_key) => {
      const response = await api.allocateCapture({ idempotency_key });
      return response.status === 200 ? { status: 200, recorded: response.data.response.response_body } : { status: response.status };
    },
    record: async (idempotency_key, response_status, response_body) =>
      (await api.recordCapture({ idempotency_key, response: { response_status, response_body } })).status,
    release: async (key) => (await api.releaseCapture(key)).status,
    position: () => body(client.position()),
  };
}
