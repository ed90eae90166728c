// Tests of the checker: every wrong document and every wrong response must be found, and the right ones must pass.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { OpenApi } from './openapi.mjs';

const text = await readFile(new URL('../../docs/openapi.yaml', import.meta.url), 'utf8');
const openapi = new OpenApi(text);
const { examples } = openapi.document.components;

const failing = async (changed) => (await new OpenApi(changed).lint()).filter(({ errors }) => errors.length > 0).map(({ name }) => name);

test('the document is right', async () => assert.deepEqual(await failing(text), []));

for (const [what, from, to, name] of [
  ['no title', '  title: Ordem\n', '', 'is a valid OpenAPI document'],
  ['a reference to nothing', "'404': {$ref: '#/components/responses/OrderNotFound'}", "'404': {$ref: '#/components/responses/Nothing'}",
    'every $ref resolves'],
  ['an unused schema', '\n  schemas:\n', '\n  schemas:\n    Spare: {type: string}\n', 'every component is used'],
  ['an operationId twice', 'operationId: getMessage', 'operationId: getOrder', 'every operation has a unique id'],
  ['a path parameter without a description', '/versions/{n}:', '/versions/{m}:', 'the parameters in every path are described'],
  ['a slug without a type', '        - body-too-large\n', '', 'ProblemSlug and ProblemType name the same problems'],
  ['a keyword that JSON Schema does not have', 'maxLength: 64', 'maximumLength: 64', 'every schema compiles'],
  ['a header without an example', '      example: GET, HEAD, POST\n', '', 'every parameter, header and body has an example'],
  ['an example with a wrong body', 'summary: Confirm, made against version 3\n      value: {status: confirmed',
    'summary: Confirm, made against version 3\n      value: {status: lost', 'every example matches its schema'],
  ['an example with a wrong line', '{"idempotency_key":"5f3a1c2d-4e6f-4c1a-9b7e-2d8f6a1b3c4d","status":422', '{"idempotency_key":"5f3a","status":"bad"',
    'every example matches its schema'],
  ['an example with a wrong header', 'example: GET, HEAD, POST', 'example: GET and HEAD', 'every example matches its schema'],
]) {
  test(`a document with ${what} is found`, async () => {
    assert.ok(text.includes(from));
    assert.ok((await failing(text.replace(from, to))).includes(name));
  });
}

const id = examples.OrderCreated.value.order.order_id;
const headers = (...more) => [['Date', 'Sun, 22 Nov 2026 10:15:30 GMT'], ['Content-Length', '1'], ...more];
const json = ['Content-Type', 'application/json'];
const problem = ['Content-Type', 'application/problem+json'];
const expires = ['Idempotency-Expires', '2026-11-23T10:15:30.123Z'];
const position = ['Ordem-Position', '17'];
const location = ['Location', `/api/v1/orders/${id}`];
const etag = ['ETag', '"1"'];

const create = (status, lines, body, sent = {}) => ({
  method: 'POST', path: '/api/v1/orders', query: '', headers: [json, ['Idempotency-Key', '"k-1"']],
  body: JSON.stringify(examples.CreateRequest.value), ...sent,
  response: { status, headers: headers(...lines), body: JSON.stringify(body) },
});
const get = (path, status, lines, body) => ({
  method: 'GET', path, query: '', headers: [], body: '', response: { status, headers: headers(...lines), body: JSON.stringify(body) },
});
const capture = (method, status, lines, body, sent) => ({
  method, path: '/api/v2/captures', query: '', headers: [], body: JSON.stringify(sent ?? examples.CaptureRecord.value),
  response: { status, headers: headers(position, ...lines), body: body === undefined ? '' : JSON.stringify(body) },
});
const made = examples.OrderCreated.value;
const found = examples.OrderFound.value;

for (const [what, exchange] of [
  ['a create', create(201, [json, expires, position, location, etag], made)],
  ['a replay', create(201, [json, expires, position, location, etag, ['Idempotency-Replayed', 'true']], made)],
  ['a read', get(`/api/v1/orders/${id}`, 200, [json, etag], found)],
  ['an unknown path', get('/nothing', 404, [problem], examples.NotFound.value)],
  ['a wrong method', { ...get('/api/v1/orders', 405, [problem, ['Allow', 'POST, HEAD, GET']], examples.MethodNotAllowed.value), method: 'PUT' }],
  ['an allocation without Content-Type', capture('PUT', 202, [])],
  ['an allocation with any Content-Type', { ...capture('PUT', 409, []), headers: [['Content-Type', 'text/html']] }],
  ['a record', capture('PUT', 200, [json], examples.CaptureRecord.value)],
  ['a recording with an empty object for headers',
    capture('POST', 200, [], undefined, { ...examples.CaptureRecord.value, response: { response_status: 200, response_headers: {}, colour: 1 } })],
  ['an error of captures', capture('POST', 403, [json], { error: 'x' })],
  ['a wrong method of captures', { ...get('/api/v2/captures', 405, [json, ['Allow', 'POST, PUT']], { error: 'x' }), method: 'PATCH' }],
  ['a HEAD', { ...get(`/api/v1/orders/${id}`, 200, [json, etag]), method: 'HEAD', response: { status: 200, headers: headers(json, etag), body: '' } }],
]) {
  test(`${what} as documented passes`, () => assert.deepEqual(openapi.differences(exchange), []));
}

for (const [what, exchange, difference] of [
  ['an undocumented status', create(202, [json, expires, position, location, etag], made), /status 202/],
  ['no Idempotency-Expires', create(201, [json, position, location, etag], made), /Idempotency-Expires is missing/],
  ['no Ordem-Position', create(201, [json, expires, location, etag], made), /Ordem-Position is missing/],
  ['a position that is not a number', create(201, [json, expires, ['Ordem-Position', 'last'], location, etag], made), /header Ordem-Position/],
  ['an ETag without quotes', create(201, [json, expires, position, location, ['ETag', '1']], made), /header ETag/],
  ['two ETags', create(201, [json, expires, position, location, etag, etag], made), /ETag appears 2 times/],
  ['an undocumented header', create(201, [json, expires, position, location, etag, ['X-Debug', '1']], made), /X-Debug is not documented/],
  ['a wrong media type', create(201, [['Content-Type', 'text/json'], expires, position, location, etag], made), /text\/json is not documented/],
  ['an unknown member', create(201, [json, expires, position, location, etag], { ...made, extra: 1 }), /additional properties/],
  ['an unknown member of the order', create(201, [json, expires, position, location, etag], { ...made, order: { ...made.order, extra: 1 } }),
    /additional properties/],
  ['an unknown member of a plain problem', get('/nothing', 404, [problem], { ...examples.NotFound.value, instance: '/x' }),
    /unevaluated properties/],
  ['the problem of another response', get('/nothing', 404, [problem], examples.OrderNotFound.value), /body\/type/],
  ['a missing member', get('/-/ping', 200, [json], {}), /required property 'message'/],
  ['an Allow that lacks a method', { ...get('/api/v1/orders', 405, [problem, ['Allow', 'GET, HEAD']], examples.MethodNotAllowed.value), method: 'PUT' },
    /Allow names/],
  ['405 for an unknown path', get('/nothing', 405, [problem, ['Allow', 'GET']], examples.MethodNotAllowed.value), /unknown path/],
  ['a body after HEAD', { ...get(`/api/v1/orders/${id}`, 200, [json, etag], found), method: 'HEAD' }, /HEAD has a body/],
  ['a body after 304', get(`/api/v1/orders/${id}`, 304, [etag], found), /a body is not documented/],
  ['success for a body that is not allowed', create(201, [json, expires, position, location, etag], made, { body: '{"colour":"red"}' }), /succeeded with body/],
  ['success for a header that is not allowed',
    create(201, [json, expires, position, location, etag], made, { headers: [json, ['Idempotency-Key', 'a b']] }), /succeeded with Idempotency-Key/],
  ['success for a query that is not allowed', { ...get('/api/v1/orders', 200, [json], examples.NoCustomerOrders.value), query: 'customer_id=c&limit=0' },
    /succeeded with limit/],
  ['success for an invalid key', capture('PUT', 202, [], undefined, { idempotency_key: 'QQ==' }), /succeeded with body/],
  ['success for a response without a status', capture('POST', 200, [], undefined, { ...examples.CaptureRecord.value, response: {} }), /succeeded with body/],
  ['a body where captures have none', capture('PUT', 202, [json], {}), /a body is not documented/],
  ['a record with an object for headers', capture('PUT', 200, [json], { ...examples.CaptureRecord.value, response: { response_status: 200, response_body: '', response_headers: {} } }),
    /body\/response\/response_headers/],
  ['an error of captures as a problem document', capture('POST', 403, [problem], examples.NotFound.value), /application\/problem\+json is not documented/],
]) {
  test(`${what} is found`, () => assert.match(openapi.differences(exchange).join('\n'), difference));
}

test('a message that the server does not have is found', () => {
  const checker = new OpenApi(text);
  const unknown = () => checker.messages('"the server is shutting down"').filter(({ known }) => !known).map(({ message }) => message);
  const detail = examples.StaleVersion.value.detail;
  assert.ok(unknown().includes(detail) && !unknown().includes('the server is shutting down'));
  // The same shape with other numbers and another id.
  const problemBody = { ...examples.StaleVersion.value, detail: detail.replace(/[0-9a-f]{4}/g, 'abcd').replace('version 1', 'version 17') };
  checker.differences({ ...create(409, [problem, expires, position], problemBody), method: 'PUT', path: `/api/v1/orders/${id}` });
  assert.ok(!unknown().includes(detail));
});

test('an example that no response had is found', () => {
  const found = (body) => {
    const checker = new OpenApi(text);
    checker.differences(create(201, [json, expires, position, location, etag], body));
    return checker.exampleBodies().filter(({ seen }) => seen).map(({ name }) => name);
  };
  const sent = JSON.parse(JSON.stringify(made).replaceAll('2026', '2027').replace(/[0-9a-f]{12}"/, 'abcdefabcdef"'));
  assert.deepEqual(found(sent), ['OrderCreated, application/json: OrderCreated']); // another id, other times
  const { code, ...rest } = made;
  assert.deepEqual(found({ ...rest, code }), []); // another order of the members
  assert.deepEqual(found({ ...made, order: { ...made.order, total: made.order.total + 1 } }), []);
});

test('each line of NDJSON is an example of its own', () => {
  const checker = new OpenApi(text);
  const names = checker.exampleBodies().map(({ name }) => name);
  assert.equal(names.filter((name) => name.startsWith('CommandVerdicts')).length, 2);
  assert.ok(checker.exampleRequests().some(({ method, template, name }) => method === 'POST' && template === '/api/v1/orders' && name === 'guid_in_body'));
});
