// The client of @hey-api/openapi-ts.

import { createClient } from './generated/hey-api/client/index.js';
import * as sdk from './generated/hey-api/index.js';
import type { Client, Problem, Written } from './walk.js';

type Answer<Success, Failure> = { data?: Success; error?: Failure; response: Response };

export function heyApi(baseUrl: string): Client {
  const client = createClient({ baseUrl });

  function written({ data, error, response }: Answer<sdk.OrderCreated | sdk.OrderUpdated, Problem>): Written {
    return { status: response.status, replayed: response.headers.get('Idempotency-Replayed') === 'true', order: data?.order, problem: error };
  }

  // Returns the body of a success. Throws what the server answered otherwise.
  function body<T>({ data, error }: Answer<T, unknown>): T {
    if (data === undefined) throw new Error(JSON.stringify(error));
    return data;
  }

  const keyed = (key: string) => ({ 'Idempotency-Key': `"${key}"` });
  return {
    create: async (key, content) => written(await sdk.createOrder({ client, headers: keyed(key), body: content })),
    read: async (id) => body(await sdk.getOrder({ client, path: { id } })).order,
    replace: async (id, key, version, content) =>
      written(await sdk.replaceOrder({ client, path: { id }, headers: keyed(key), body: { version, ...content } })),
    merge: async (id, key, version, attributes) =>
      written(await sdk.mergeOrder({ client, path: { id }, headers: keyed(key), body: { version, attributes } })),
    move: async (id, key, version, status) =>
      written(await sdk.changeOrderStatus({ client, path: { id }, headers: keyed(key), body: { version, status } })),
    list: async (customer_id, limit, cursor) => {
      const { orders, next_cursor } = body(await sdk.listCustomerOrders({ client, query: { customer_id, limit, cursor } }));
      return { rows: orders, next_cursor };
    },
    versions: async (id) => {
      const { versions, next_cursor } = body(await sdk.listOrderVersions({ client, path: { id } }));
      return { rows: versions, next_cursor };
    },
    version: async (id, n) => body(await sdk.getOrderVersion({ client, path: { id, n } })).order,
    message: async (guid) => {
      const { state, order_id, version, response } = body(await sdk.getMessage({ client, path: { guid } }));
      return { state, order_id, version, response: { status: response.status, code: response.code } };
    },
    batch: async (lines) => body(await sdk.writeOrders({ client, body: lines, bodySerializer: null, parseAs: 'text' })),
    allocate: async (idempotency_key) => {
      const { data, response } = await sdk.allocateCapture({ client, body: { idempotency_key } });
      return response.status === 200 ? { status: 200, recorded: (data as sdk.CaptureRecord).response.response_body } : { status: response.status };
    },
    record: async (idempotency_key, response_status, response_body) =>
      (await sdk.recordCapture({ client, body: { idempotency_key, response: { response_status, response_body } } })).response.status,
    release: async (key) => (await sdk.releaseCapture({ client, path: { key } })).response.status,
    position: async () => body(await sdk.position({ client })),
  };
}
