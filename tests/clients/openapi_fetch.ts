// The client of openapi-typescript and openapi-fetch.

import createClient from 'openapi-fetch';
import type { components, paths } from './generated/openapi-typescript.js';
import type { Client, Problem, Written } from './walk.js';

type Success = components['schemas']['OrderUpdated'] | components['schemas']['OrderCreated'];

const asIs = (body: unknown): string => String(body);

export function openapiFetch(baseUrl: string): Client {
  const api = createClient<paths>({ baseUrl });

  function written({ data, error, response }: { data?: Success; error?: Problem; response: Response }): Written {
    return { status: response.status, replayed: response.headers.get('Idempotency-Replayed') === 'true', order: data?.order, problem: error };
  }

  // Returns the body of a success. Throws what the server answered otherwise.
  function body<T>({ data, error }: { data?: T; error?: unknown }): T {
    if (data === undefined) throw new Error(JSON.stringify(error));
    return data;
  }

  const keyed = (key: string) => ({ 'Idempotency-Key': `"${key}"` });
  return {
    create: async (key, content) => written(await api.POST('/api/v1/orders', { params: { header: keyed(key) }, body: content })),
    read: async (id) => body(await api.GET('/api/v1/orders/{id}', { params: { path: { id } } })).order,
    replace: async (id, key, version, content) =>
      written(await api.PUT('/api/v1/orders/{id}', { params: { path: { id }, header: keyed(key) }, body: { version, ...content } })),
    merge: async (id, key, version, attributes) =>
      written(await api.PATCH('/api/v1/orders/{id}', { params: { path: { id }, header: keyed(key) }, body: { version, attributes } })),
    move: async (id, key, version, status) =>
      written(await api.POST('/api/v1/orders/{id}/status', { params: { path: { id }, header: keyed(key) }, body: { version, status } })),
    list: async (customer_id, limit, cursor) => {
      const { orders, next_cursor } = body(await api.GET('/api/v1/orders', { params: { query: { customer_id, limit, cursor } } }));
      return { rows: orders, next_cursor };
    },
    versions: async (id) => {
      const { versions, next_cursor } = body(await api.GET('/api/v1/orders/{id}/versions', { params: { path: { id } } }));
      return { rows: versions, next_cursor };
    },
    version: async (id, n) => body(await api.GET('/api/v1/orders/{id}/versions/{n}', { params: { path: { id, n } } })).order,
    message: async (guid) => {
      const { state, order_id, version, response } = body(await api.GET('/api/v1/messages/{guid}', { params: { path: { guid } } }));
      return { state, order_id, version, response: { status: response.status, code: response.code } };
    },
    batch: async (lines) => body(await api.POST('/api/v1/batch',
      { body: lines, bodySerializer: asIs, headers: { 'Content-Type': 'application/x-ndjson' }, parseAs: 'text' })),
    allocate: async (idempotency_key) => {
      const { data, response } = await api.PUT('/api/v2/captures', { body: { idempotency_key } });
      return response.status === 200 ? { status: 200, recorded: data?.response.response_body } : { status: response.status };
    },
    record: async (idempotency_key, response_status, response_body) =>
      (await api.POST('/api/v2/captures', { body: { idempotency_key, response: { response_status, response_body } } })).response.status,
    release: async (key) => (await api.DELETE('/api/v2/captures/{key}', { params: { path: { key } } })).response.status,
    position: async () => body(await api.GET('/-/position')),
  };
}
