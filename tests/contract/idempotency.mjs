// The collection for people, docs/Idempotency.postman_collection.json: the walk of the services that Ordem replaces.
//
//   ORDEM_BINARY=... node idempotency.mjs            runs the collection as it is committed, and compares docs/newman.svg with the result
//   node idempotency.mjs --base-url http://...       the same, on a running server; its key is ORDEM_KEY
//   ... node idempotency.mjs --write                 writes the collection and the picture

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import newman from 'newman';
import { start } from './server.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const COLLECTION = here('../../docs/Idempotency.postman_collection.json');
const PICTURE = here('../../docs/newman.svg');

const ORDER = '/api/v1/orders/{{order_id}}';
const content = (quantity) => ({ customer_id: 'c-1001', currency: 'EUR', items: [{ sku: 'A-1', quantity, unit_price: 1999 }] });

const script = (listen, exec) => ({ listen, script: { type: 'text/javascript', exec } });
const test = (name, ...lines) => [`pm.test(${JSON.stringify(name)}, () => {`, ...lines.map((line) => `  ${line}`), '});'];
const status = (code) => test(`status is ${code}`, `pm.response.to.have.status(${code});`);
const order = (version, quantity) => test(`the order has version ${version} and quantity ${quantity}`,
  'const { order } = pm.response.json();', `pm.expect(order.version).to.eql(${version});`, `pm.expect(order.items[0].quantity).to.eql(${quantity});`);
const message = (text) => test(`message is "${text}"`, `pm.expect(pm.response.json().message).to.eql(${JSON.stringify(text)});`);

function request(name, description, target, { key, body, before, tests }) {
  const [method, path] = target.split(' ');
  const header = [];
  if (body) header.push({ key: 'Content-Type', value: 'application/json' });
  if (key) header.push({ key: 'Idempotency-Key', value: `{{${key}}}` });
  return {
    name,
    event: [...(before ? [script('prerequest', before)] : []), script('test', tests.flat())],
    request: {
      description,
      method,
      header,
      url: `{{base_url}}${path}`,
      ...(body ? { body: { mode: 'raw', raw: JSON.stringify(body, null, 2), options: { raw: { language: 'json' } } } } : {}),
    },
  };
}

const newGuid = (name) => `pm.collectionVariables.set('${name}', pm.variables.replaceIn('{{$guid}}'));`;

const collection = {
  info: {
    name: 'Idempotency',
    description: 'Creates, reads and updates an order, repeats the create, and updates with an old version. Run the requests in order, against a ' +
      'server at the variable `base_url`; if it has identities, put an API key into the variable `api_key`.',
    schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
  },
  item: [
    request('CreateOrder', 'Creates an order. The GUID is new for each run.', 'POST /api/v1/orders', {
      key: 'create_guid', body: content(2), before: [newGuid('create_guid')],
      tests: [status(201), message('order created'), order(1, 2),
        ["pm.collectionVariables.set('order_id', pm.response.json().order.order_id);", "pm.collectionVariables.set('created', pm.response.text());"]],
    }),
    request('Get_Order', 'Reads the order.', `GET ${ORDER}`, { tests: [status(200), order(1, 2)] }),
    request('UpdateOrder', 'Updates the order, based on version 1.', `PUT ${ORDER}`, {
      key: 'update_guid', body: { version: 1, ...content(3) }, before: [newGuid('update_guid')],
      tests: [status(200), message('order updated'), order(2, 3)],
    }),
    request('Get_Order_After_Update', 'Reads the order again.', `GET ${ORDER}`, { tests: [status(200), order(2, 3)] }),
    request('CreateOrder_Repeat', 'Repeats the create with its GUID: the response of before, and no second order.', 'POST /api/v1/orders', {
      key: 'create_guid', body: content(2),
      tests: [status(201), test('the body is that of CreateOrder, byte for byte', "pm.expect(pm.response.text()).to.eql(pm.collectionVariables.get('created'));"),
        test('Idempotency-Replayed is true', "pm.expect(pm.response.headers.get('Idempotency-Replayed')).to.eql('true');")],
    }),
    request('UpdateOrder_Repeat_Unversion', 'Another update, based on version 1, which is not the current one any more.', `PUT ${ORDER}`, {
      key: 'stale_guid', body: { version: 1, ...content(4) }, before: [newGuid('stale_guid')],
      tests: [status(409), test('code is 3043', 'pm.expect(pm.response.json().code).to.eql(3043);'), message('data is out of date'),
        test('current_version is 2', 'pm.expect(pm.response.json().current_version).to.eql(2);')],
    }),
    request('UpdateOrder_Eq_Version', 'The same update, based on the current version, with a new GUID.', `PUT ${ORDER}`, {
      key: 'eq_guid', body: { version: 2, ...content(4) }, before: [newGuid('eq_guid')],
      tests: [status(200), message('order updated'), order(3, 4)],
    }),
  ],
  event: [script('prerequest', ["const key = pm.variables.get('api_key');", "if (key) pm.request.headers.upsert({ key: 'Authorization', value: `Bearer ${key}` });"])],
  variable: [{ key: 'base_url', value: 'http://127.0.0.1:8080' }, { key: 'api_key', value: '' }],
};

// Resolves to [{ name, target, status, checks: [{ name, error }] }], one for each request.
function send(url, key) {
  return new Promise((resolve, reject) => {
    newman.run({ collection: COLLECTION, envVar: [{ key: 'base_url', value: url }, { key: 'api_key', value: key ?? '' }], timeoutRequest: 60_000 },
      (error, summary) => (error ? reject(error) : resolve(summary.run.executions.map(({ item, response, requestError, assertions = [] }) => ({
        name: item.name,
        target: `${item.request.method} ${item.request.url.getPath()}`,
        status: response ? `${response.code} ${response.status}` : String(requestError?.message),
        checks: assertions.map(({ assertion, error: failure }) => ({ name: assertion, error: failure?.message })),
      })))));
  });
}

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

// Returns a picture of a run. The same result makes the same picture: it has no times and no ids.
function picture(results) {
  const rows = results.flatMap(({ name, target, status: answer, checks }) => [
    { kind: 'request', text: name, answer, target },
    ...checks.map((check) => ({ kind: check.error ? 'failed' : 'passed', text: check.name })),
  ]);
  const failed = rows.filter(({ kind }) => kind === 'failed').length;
  const LINE = 20;
  const height = 72 + rows.length * LINE + results.length * 6;
  let y = 58;
  const lines = rows.map(({ kind, text, answer, target }) => {
    y += LINE + (kind === 'request' ? 6 : 0);
    if (kind !== 'request') return `<text x="32" y="${y}"><tspan class="${kind}">${kind === 'passed' ? '\u2713' : '\u2717'}</tspan> ${escape(text)}</text>`;
    return `<text x="16" y="${y}" class="name">${escape(text)}</text><text x="300" y="${y}" class="quiet">${escape(target)}</text>` +
      `<text x="704" y="${y}" text-anchor="end">${escape(answer)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 ${height}" width="720" role="img" aria-label="The collection Idempotency, run by newman">
<style>
  rect { fill: #ffffff; stroke: #d0d7de } text { font: 13px ui-monospace, Menlo, Consolas, monospace; fill: #1f2328; white-space: pre }
  .name { font-weight: 600 } .title { font-size: 15px; font-weight: 600 } .quiet { fill: #59636e } .passed { fill: #1a7f37 } .failed { fill: #d1242f }
  @media (prefers-color-scheme: dark) { rect { fill: #0d1117; stroke: #3d444d } text { fill: #f0f6fc } .quiet { fill: #9198a1 } .passed { fill: #3fb950 } .failed { fill: #f85149 } }
</style>
<rect x="0.5" y="0.5" width="719" height="${height - 1}" rx="6"/>
<text x="16" y="28" class="title">newman run Idempotency.postman_collection.json</text>
<text x="16" y="50" class="quiet">${results.length} requests, ${rows.length - results.length} checks, ${failed} failed</text>
${lines.join('\n')}
</svg>
`;
}

const { values: options } = parseArgs({ options: { 'base-url': { type: 'string' }, write: { type: 'boolean', default: false } } });
const written = `${JSON.stringify(collection, null, 2)}\n`;
if (options.write) await writeFile(COLLECTION, written);
const baseUrl = options['base-url'];
const server = baseUrl ? { url: baseUrl.replace(/\/+$/, ''), key: process.env.ORDEM_KEY } : await start(process.env.ORDEM_BINARY);
const errors = [];
try {
  const results = await send(server.url, server.key);
  for (const { name, checks } of results) {
    const failures = checks.filter(({ error }) => error);
    console.log(`${failures.length === 0 ? 'passed' : 'FAILED'}  ${name}, ${checks.length} checks${failures.map(({ name: what, error }) => `\n          ${what}: ${error}`).join('')}`);
    errors.push(...failures.map(({ name: what }) => `${name}: ${what}`));
    if (checks.length === 0) errors.push(`${name}: no check was made`);
  }
  if (results.length !== collection.item.length) errors.push(`${results.length} requests were sent, not ${collection.item.length}`);
  if (options.write) await writeFile(PICTURE, picture(results));
  else if (await readFile(PICTURE, 'utf8') !== picture(results)) errors.push('docs/newman.svg shows something else: npm run idempotency -- --write');
} finally {
  errors.push(...await server.stop?.() ?? []);
}
if (await readFile(COLLECTION, 'utf8') !== written) errors.push('docs/Idempotency.postman_collection.json is not what idempotency.mjs makes: npm run idempotency -- --write');
console.log(errors.length === 0 ? 'idempotency: all passed' : errors.join('\n'));
process.exitCode = errors.length === 0 ? 0 : 1;
