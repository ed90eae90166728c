// Sends the examples of the document, so that its example responses can be compared with what the server answers to them.

import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout } from 'node:timers/promises';

const ORDERS = '/api/v1/orders';
const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

// Sends each example of a request, which must succeed, and the requests behind the example responses. Calls `check(name, exchange, errors)` for each
// exchange, in the form of OpenApi.differences().
export async function sendExamples(url, key, openapi, check) {
  const example = (name) => openapi.document.components.examples[name].value;

  async function send(name, target, { type, headers = [], body, status = 200 } = {}) {
    const [method, path] = target.split(' ');
    const all = [...headers, ...(key ? [['Authorization', `Bearer ${key}`]] : []), ...(type ? [['Content-Type', type]] : [])];
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(url + path, { method, headers: all, body: text === undefined ? undefined : Buffer.from(text) }); // no text, for which fetch would name a type
    const answer = await response.text();
    const expected = [status].flat();
    const errors = expected.includes(response.status) ? [] : [`status ${response.status} instead of ${expected}: ${answer}`];
    const [pathname, query = ''] = path.split('?');
    check(name, { method, path: pathname, query, headers: all, body: text ?? '', response: { status: response.status, headers: [...response.headers], body: answer } }, errors);
    return { answer, headers: response.headers };
  }

  const json = 'application/json';
  const keyed = (guid = randomUUID()) => ['Idempotency-Key', `"${guid}"`];
  const create = async (name, body = example('CreateRequest'), guid = randomUUID()) => {
    const { answer } = await send(name, `POST ${ORDERS}`, { type: json, headers: [keyed(guid)], body, status: 201 });
    return JSON.parse(answer).order?.order_id;
  };
  // The example with ids of its own: an order that is there, and new keys, each in the place of one of the document.
  const own = (value, orderId) => {
    const made = new Map();
    const text = (typeof value === 'string' ? value : JSON.stringify(value)).replace(/("order_id":")[^"]*/g, `$1${orderId}`);
    return text.replace(UUID, (id) => (id === orderId ? id : (made.has(id) ? made : made.set(id, randomUUID())).get(id)));
  };

  for (const { method, template, type, name, value } of openapi.exampleRequests()) {
    const isOrder = template.startsWith(ORDERS) || template.startsWith('/api/v1/batch');
    const orderId = isOrder ? await create('an order for an example') : '';
    const isCapture = template.startsWith('/api/v2/captures');
    let body = template === '/-/backup' ? { to: value.to.split('/').pop() } : own(value, orderId);
    if (isCapture) {
      body = { ...value, idempotency_key: Buffer.from(randomUUID()).toString('base64url') };
      if (method === 'POST') await send('an allocation for an example', `PUT ${template}`, { body: { idempotency_key: body.idempotency_key }, status: 202 });
    }
    const headers = [];
    for (let version = 1; version < value.version; version += 1) {
      await send('a version for an example', `PATCH ${ORDERS}/${orderId}`, { type: json, headers: [keyed()], body: { version, attributes: { version } } });
    }
    if (isOrder && type !== 'application/x-ndjson') {
      if (value.guid === undefined) headers.push(keyed());
      if (template.includes('{id}') && value.version === undefined) headers.push(['If-Match', '"1"']);
    }
    const status = [200, 201, 202, ...(template === '/-/backup' ? [409] : [])]; // 409: another one is being made
    await send(`${method} ${template}: ${name}`, `${method} ${template.replace('{id}', orderId)}`, { type: type === '*/*' ? undefined : type, headers, body, status });
  }

  // The example responses about orders and messages.
  const [guid, staleGuid] = [randomUUID(), randomUUID()];
  const { attributes, ...plain } = example('CreateRequest');
  const confirm = { status: 'confirmed', version: 1 };
  const orderId = await create('without attributes', plain, guid);
  await send('status', `POST ${ORDERS}/${orderId}/status`, { type: json, headers: [keyed()], body: confirm });
  await send('versions', `GET ${ORDERS}/${orderId}/versions`);
  await send('no such version', `GET ${ORDERS}/${orderId}/versions/9`, { status: 404 });
  await send('message', `GET /api/v1/messages/${guid}`);
  const changed = await create('that another client changes', plain);
  await send('currency', `PATCH ${ORDERS}/${changed}`, { type: json, headers: [keyed()], body: { version: 1, currency: 'USD' } });
  await send('stale status', `POST ${ORDERS}/${changed}/status`, { type: json, headers: [keyed(staleGuid)], body: confirm, status: 409 });
  await send('message of a refusal', `GET /api/v1/messages/${staleGuid}`);
  await send('stale replace', `PUT ${ORDERS}/${changed}`, { type: json, headers: [keyed(), ['If-Match', '"1"']], body: plain, status: 412 });
  const replaced = await create('with attributes');
  await send('order', `GET ${ORDERS}/${replaced}`);
  await send('page', `GET ${ORDERS}?customer_id=${plain.customer_id}&limit=1`);
  await send('replace', `PUT ${ORDERS}/${replaced}`, { type: json, headers: [keyed()], body: example('ReplaceRequest') });
  const invalid = { ...plain, items: [{ ...plain.items[0], quantity: 0 }], colour: 'red' };
  await send('several errors', `POST ${ORDERS}`, { type: json, headers: [keyed()], body: invalid, status: 422 });

  const captures = '/api/v2/captures';
  // On a server that has run these requests before, the capture is recorded already.
  await send('an allocation', `PUT ${captures}`, { body: example('CaptureAllocation'), status: [200, 202] });
  await send('an allocated capture', `GET ${captures}/${example('CaptureAllocation').idempotency_key}`);
  await send('a record', `POST ${captures}`, { body: example('CaptureRecord'), status: [200, 403] });
  await send('a recorded capture', `PUT ${captures}`, { body: example('CaptureAllocation') });
  await send('a parameter of captures', `PUT ${captures}?dry_run=1`, { body: example('CaptureAllocation'), status: 400 });
  const withoutHost = await answerTo(`${url}${captures}`, { method: 'PUT', setHost: false });
  check('no Host', { method: 'PUT', path: captures, query: '', headers: [], body: '', response: withoutHost }, []);

  const { answer: end } = await send('no changes', 'GET /api/v1/changes');
  await create('that the feed shows');
  await send('changes', `GET /api/v1/changes?after=${JSON.parse(end).next}`);
  await send('state', 'GET /-/state');
  await backedUp(() => send('back-up', 'GET /-/backup'));

  const ndjson = (...lines) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  const moved = await create('for the batch', plain);
  const move = () => ({ op: 'status', idempotency_key: randomUUID(), order_id: moved, version: 1, status: 'confirmed' });
  await send('batch of commands', 'POST /api/v1/batch', { type: 'application/x-ndjson', body: ndjson(move(), move()) });
  const reused = randomUUID();
  await create('whose GUID is used again', example('CreateRequest'), reused);
  await send('batch of creates', `POST ${ORDERS}/batch`, { type: 'application/x-ndjson',
    body: ndjson({ idempotency_key: guid, order: plain }, { idempotency_key: reused, order: plain }) });
}

// Asks until the back-up that an example began is made.
async function backedUp(ask) {
  for (let i = 0; i < 1000; i += 1) {
    const { answer } = await ask();
    if (JSON.parse(answer).status !== 'running') return;
    await setTimeout(10);
  }
  throw new Error('the back-up of an example takes too long');
}

// For what fetch does not send.
function answerTo(url, options) {
  return new Promise((resolve, reject) => {
    request(url, options, async (response) => {
      try {
        const body = Buffer.concat(await response.toArray()).toString();
        resolve({ status: response.statusCode, headers: Object.entries(response.headers), body });
      } catch (error) {
        reject(error);
      }
    }).on('error', reject).end();
  });
}
