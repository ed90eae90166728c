// The requests that check a server against the contract, one folder for each part of it. Each folder creates the
// orders that it needs, so each can run alone. everyAnswer checks what all responses have in common; run.mjs compares
// the responses with docs/openapi.yaml.

import * as postman from './postman.mjs';
import {
  bodyHas, bodyIs, call, check, detailNames, empty, etag, executed, folder, guid, header, headerHas, isCreated, isEmpty,
  isError, isHeadOf, isInvalid, isOrder, isProblem, isReplayOf, isStale, isUpdated, keep, noAttributes, noHeader,
  read, save, status, textHas, write,
} from './postman.mjs';

const ORDERS = '/api/v1/orders';
const COMMANDS = '/api/v1/batch';
const CAPTURES = '/api/v2/captures';
const UNKNOWN = '0190b3f2-9f6c-7cc0-8000-000000000000';
const MERGE = 'application/merge-patch+json';

// `code` is `status` unless the row names it.
export const problems = [
  ['backup-refused', 422], ['backup-running', 409], ['body-too-large', 413], ['draining', 503], ['expectation-failed', 417], ['forbidden', 403], ['forbidden-origin', 403], ['guid-malformed', 400], ['guid-mismatch', 400],
  ['guid-missing', 400], ['guid-reused', 422], ['headers-too-large', 431], ['invalid-order', 422],
  ['malformed-json', 400], ['malformed-query', 400], ['malformed-request', 400], ['message-not-found', 404],
  ['method-not-allowed', 405], ['misdirected-request', 421], ['no-owner', 503], ['not-found', 404], ['not-ndjson', 400], ['order-closed', 409, 3045], ['order-not-found', 404],
  ['overloaded', 503], ['persistence-behind', 503], ['position-trimmed', 410], ['rate-limited', 429], ['read-only', 503], ['recovering', 503], ['request-in-flight', 409],
  ['request-timeout', 408], ['stale-version', 409, 3043], ['status-not-allowed', 409, 3044], ['storage-failed', 503],
  ['too-many-connections', 503], ['unauthenticated', 401], ['unsupported-media-type', 415], ['version-malformed', 400], ['version-mismatch', 400],
  ['version-not-found', 404], ['version-required', 428],
].map(([slug, status, code = status]) => ({ slug, status, code }));

const item = { sku: 'A-1', quantity: 2, unit_price: 1999 };
const content = {
  customer_id: 'c-{{run}}',
  currency: 'EUR',
  items: [item],
  attributes: { channel: 'web' },
};
const without = (member) => Object.fromEntries(Object.entries(content).filter(([name]) => name !== member));
const text = (value) => JSON.stringify(value);

// Creates an order for later requests, as {{variable}}.
const anOrder = (variable, body = content) =>
  write(`an order ${variable}`, `POST ${ORDERS}`, { body }, isCreated(), save(variable, 'order.order_id'));

const patch = (name, target, options, ...checks) => write(name, `PATCH ${target}`, { type: MERGE, ...options }, ...checks);

// ---- on every answer

const everyAnswer = [
  [
    'const header = (name) => pm.response.headers.get(name);',
    'const method = pm.request.method;',
    "const path = '/' + pm.request.url.path.join('/');",
    'const status = pm.response.code;',
    "const isCapture = /^\\/api\\/v2\\/captures(\\/[^/]+)?$/.test(path);",
    "const isBatch = /^\\/api\\/v1\\/(orders\\/)?batch$/.test(path) && status === 200;",
    "const bodiless = method === 'HEAD' || status === 304 || (isCapture && !header('Content-Type'));",
    "const type = bodiless ? '' : /^application\\/problem\\+json\\b/.test(header('Content-Type')) && pm.response.json().type;",
  ],
  check(
    'every answer has Date, and Content-Length but to a batch',
    "pm.expect(header('Date')).to.match(/^[A-Z][a-z]{2}, \\d{2} [A-Z][a-z]{2} \\d{4} \\d{2}:\\d{2}:\\d{2} GMT$/);",
    "if (isBatch) pm.expect(header('Transfer-Encoding')).to.eql('chunked');",
    "else if (status !== 204 && status !== 304) pm.expect(header('Content-Length')).to.match(/^\\d+$/);",
    "else pm.expect(pm.response.headers.has('Content-Length')).to.eql(false);",
  ),
  ['if (bodiless) {'],
  check('no body', "pm.expect(pm.response.text() || '').to.eql('');"),
  ["} else if (isCapture && type !== '/problems/malformed-request') {"],
  check(
    'what captures answer is JSON, and an error has one member',
    "pm.expect(header('Content-Type')).to.eql('application/json');",
    "if (status >= 400) pm.expect(Object.keys(pm.response.json())).to.eql(['error']);",
  ),
  ['} else if (status >= 400 && !(status === 503 && path === \'/-/ready\')) {'],
  check(
    'an error is a problem whose code and message agree with the rest',
    "pm.expect(header('Content-Type')).to.match(/^application\\/problem\\+json\\b/);",
    'const problem = pm.response.json();',
    `const codes = ${text(Object.fromEntries(problems.filter((p) => p.code !== p.status).map((p) => [`/problems/${p.slug}`, p.code])))};`,
    'pm.expect(problem.type).to.match(/^\\/problems\\/[a-z-]+$/);',
    'pm.expect(problem.status).to.eql(status);',
    'pm.expect(problem.code).to.eql(codes[problem.type] || status);',
    'pm.expect(problem.message).to.eql(problem.title);',
    "pm.expect(problem.detail).to.be.a('string').that.is.not.empty;",
  ),
  ['}'],
  ['if (status === 429 || status === 503) {'],
  check('Retry-After', "pm.expect(header('Retry-After')).to.match(/^[1-9]\\d*$/);"),
  ['}'],
  [
    'const isWrite = {',
    "  POST: isBatch ? undefined : /^\\/api\\/v1\\/(batch|orders(\\/batch|\\/[^/]+\\/status)?)$/,",
    '  PUT: /^\\/api\\/v1\\/orders\\/[^/]+$/,',
    '  PATCH: /^\\/api\\/v1\\/orders\\/[^/]+$/,',
    '}[method];',
    "const unrouted = ['/problems/malformed-request', '/problems/headers-too-large', '/problems/request-timeout'];",
    "const isDenied = [401, 421, 429].includes(status) || header('WWW-Authenticate') || status === 403 && ['Origin', 'Sec-Fetch-Site'].some((name) => pm.request.headers.has(name));",
    'if (isWrite && isWrite.test(path) && !unrouted.includes(type) && !isDenied) {',
  ],
  check(
    'every answer to a write says until when its outcome is kept',
    "const expires = header('Idempotency-Expires');",
    'pm.expect(expires).to.match(/^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})$/);',
    "const kept = Date.parse(expires) - Date.parse(header('Date'));",
    "const recorded = status < 300 || ['/problems/stale-version', '/problems/status-not-allowed', '/problems/order-closed'].includes(type);",
    'if (recorded) pm.expect(kept).to.be.above(2000);',
    'else pm.expect(kept).to.be.within(-2000, 2000);',
  ),
  ['}'],
  ["if ((isWrite && isWrite.test(path) || isCapture && status !== 405) && !unrouted.includes(type) && !isDenied) {"],
  check(
    'every answer to a write names a position, never before that of an earlier answer',
    "const position = header('Ordem-Position');",
    'pm.expect(position).to.match(/^\\d+$/);',
    "pm.expect(Number(position)).to.be.at.least(Math.max(status < 300 ? 1 : 0, pm.collectionVariables.get('position') || 0));",
    "pm.collectionVariables.set('position', Number(position));",
  ),
  ['}'],
];

// ---- folders

const smokeTest = folder(
  'Smoke test',
  'The requests of clients of the services that Ordem replaces, with the GUID and the version in the body.',
  [
    write('create', `POST ${ORDERS}`, { key: null, body: { guid: guid('first'), ...content } },
      isCreated({ ...content, total: 3998 }), executed, save('smoke_test', 'order.order_id')),
    read('get', `GET ${ORDERS}/{{smoke_test}}`, {}, isOrder(1, { order_id: '{{smoke_test}}', status: 'new', ...content })),
    write('update with the current version', `PUT ${ORDERS}/{{smoke_test}}`,
      { key: null, body: { guid: guid('second'), version: 1, ...content, items: [{ ...item, quantity: 3 }] } },
      isUpdated(2, { order_id: '{{smoke_test}}', total: 5997 }), executed),
    read('get shows the update', `GET ${ORDERS}/{{smoke_test}}`, {},
      isOrder(2, { order_id: '{{smoke_test}}', items: [{ ...item, quantity: 3 }], total: 5997 })),
    write('create again with the first GUID', `POST ${ORDERS}`, { key: null, body: { guid: guid('first'), ...content } },
      isCreated({ order_id: '{{smoke_test}}' }), header('Idempotency-Replayed', 'true')),
    write('update with the old version', `PUT ${ORDERS}/{{smoke_test}}`,
      { key: null, body: { guid: guid('third'), version: 1, ...content, items: [{ ...item, quantity: 4 }] } },
      isStale(409, 2, 1), executed),
    write('update with the version that is current now', `PUT ${ORDERS}/{{smoke_test}}`,
      { key: null, body: { guid: guid('fourth'), version: 2, ...content, items: [{ ...item, quantity: 4 }] } },
      isUpdated(3, { order_id: '{{smoke_test}}', total: 7996 }), executed),
    read('get shows the last update', `GET ${ORDERS}/{{smoke_test}}`, {}, isOrder(3, { total: 7996 })),
  ],
);

const malformedKeys = [
  ['empty', ''],
  ['an empty string', '""'],
  ['a string without its end', '"{{run}}'],
  ['a string with more behind it', '"{{run}}"x'],
  ['a string with a wrong escape', '"{{run}}\\x"'],
  ['a space in a string', '"{{run}} x"'],
  ['a space in a token', '{{run}} x'],
  ['two tokens that a proxy has joined', '{{run}},{{run}}'],
  ['a character beyond ASCII', '{{run}}\u00e9'],
];
const theKey = folder(
  'Idempotency: the GUID',
  'Header, body member, both; the two forms of the header; missing, malformed, not agreeing.',
  [
    write('header as a string', `POST ${ORDERS}`, { key: 'both-forms', body: content }, isCreated(), executed, keep('both_forms')),
    write('header as a token is the same GUID', `POST ${ORDERS}`,
      { key: null, headers: [['Idempotency-Key', guid('both-forms')]], body: content }, isReplayOf('both_forms')),
    write('token first', `POST ${ORDERS}`,
      { key: null, headers: [['Idempotency-Key', guid('token-first')]], body: content }, isCreated(), executed, keep('token_first')),
    write('then string', `POST ${ORDERS}`, { key: 'token-first', body: content }, isReplayOf('token_first')),
    write('body member only', `POST ${ORDERS}`, { key: null, body: { guid: guid('in-body'), ...content } },
      isCreated(), executed, keep('in_body')),
    write('the same GUID by header', `POST ${ORDERS}`, { key: 'in-body', body: content }, isReplayOf('in_body')),
    write('header and body agree', `POST ${ORDERS}`, { key: 'agree', body: { guid: guid('agree'), ...content } },
      isCreated(), executed, keep('agree')),
    write('header and body agree, repeated by header', `POST ${ORDERS}`, { key: 'agree', body: content }, isReplayOf('agree')),
    write('an escaped character agrees with the plain one in the body', `POST ${ORDERS}`,
      { key: null, headers: [['Idempotency-Key', '"{{run}}\\\\\\"x"']], body: { guid: '{{run}}\\"x', ...content } }, isCreated(), executed),
    write('parameters behind a string', `POST ${ORDERS}`,
      { key: null, headers: [['Idempotency-Key', `"${guid('both-forms')}";from=proxy`]], body: content }, isReplayOf('both_forms')),
    write('header and body differ', `POST ${ORDERS}`, { key: 'differ-1', body: { guid: guid('differ-2'), ...content } },
      isProblem(400, 'guid-mismatch'), executed),
    read('neither of two GUIDs that differ is used', `GET /api/v1/messages/${guid('differ-1')}`, {},
      isProblem(404, 'message-not-found')),
    write('no GUID: create', `POST ${ORDERS}`, { key: null, body: content }, isProblem(400, 'guid-missing')),
    anOrder('order'),
    write('no GUID: replace', `PUT ${ORDERS}/{{order}}`, { key: null, body: { version: 1, ...content } }, isProblem(400, 'guid-missing')),
    patch('no GUID: merge', `${ORDERS}/{{order}}`, { key: null, body: { version: 1, currency: 'USD' } }, isProblem(400, 'guid-missing')),
    write('no GUID: status', `POST ${ORDERS}/{{order}}/status`, { key: null, body: { version: 1, status: 'confirmed' } },
      isProblem(400, 'guid-missing')),
    read('nothing was done without a GUID', `GET ${ORDERS}/{{order}}`, {}, isOrder(1, { status: 'new', currency: 'EUR' })),
    malformedKeys.map(([name, value]) =>
      write(`malformed: ${name}`, `POST ${ORDERS}`, { key: null, headers: [['Idempotency-Key', value]], body: content },
        isProblem(400, 'guid-malformed'))),
    write('two header lines, the same', `POST ${ORDERS}`,
      { key: 'twice', headers: [['Idempotency-Key', `"${guid('twice')}"`]], body: content }, isProblem(400, 'guid-malformed')),
    write('two header lines, different', `POST ${ORDERS}`,
      { key: 'twice', headers: [['Idempotency-Key', `"${guid('other')}"`]], body: content }, isProblem(400, 'guid-malformed')),
    write('a malformed header beside a good body member', `POST ${ORDERS}`,
      { key: null, headers: [['Idempotency-Key', '']], body: { guid: guid('good'), ...content } }, isProblem(400, 'guid-malformed')),
    ...[[255, isCreated()], [256, isProblem(400, 'guid-malformed')]].map(([length, outcome]) => [
      write(`header of ${length} characters`, `POST ${ORDERS}`,
        { key: null, headers: [['Idempotency-Key', '"{{long}}"']], body: content, before: longGuid('h', length) }, outcome),
      write(`token of ${length} characters`, `POST ${ORDERS}`,
        { key: null, headers: [['Idempotency-Key', '{{long}}']], body: content, before: longGuid('t', length) }, outcome),
      write(`body member of ${length} characters`, `POST ${ORDERS}`,
        { key: null, body: { guid: '{{long}}', ...content }, before: longGuid('b', length) }, outcome),
    ]),
    write('body member: empty', `POST ${ORDERS}`, { key: null, body: { guid: '', ...content } }, isProblem(400, 'guid-malformed')),
    write('body member: a space in it', `POST ${ORDERS}`, { key: null, body: { guid: '{{run}} x', ...content } },
      isProblem(400, 'guid-malformed')),
    write('body member: beyond ASCII', `POST ${ORDERS}`, { key: null, body: { guid: '{{run}}\u00e9', ...content } },
      isProblem(400, 'guid-malformed')),
  ].flat(),
);
function longGuid(fill, length) {
  return [`pm.variables.set('long', (pm.variables.get('run') + '${fill}'.repeat(${length})).slice(0, ${length}));`];
}

const reordered =
  '{"attributes" : {"channel":"web"},\r\n\t"items":[ {"unit_price":1999,"quantity":2,"sku":"A-1"} ],' +
  ' "currency":"\\u0045UR", "customer_id":"c-{{run}}" }';
const idempotency = folder(
  'Idempotency: the table',
  'Executed once, repeated byte for byte, refused for another request. Also for writes that were refused, and after the order has moved on.',
  [
    write('first time', `POST ${ORDERS}`, { key: 'create', body: content }, isCreated(), executed, keep('create'),
      save('order', 'order.order_id')),
    write('repeated', `POST ${ORDERS}`, { key: 'create', body: content }, isReplayOf('create')),
    write('repeated with other white space, member order and escapes', `POST ${ORDERS}`, { key: 'create', body: reordered },
      isReplayOf('create')),
    write('repeated with the GUID in the body', `POST ${ORDERS}`, { key: null, body: { ...content, guid: guid('create') } },
      isReplayOf('create')),
    write('other content', `POST ${ORDERS}`, { key: 'create', body: { ...content, currency: 'USD' } }, isProblem(422, 'guid-reused'),
      executed),
    write('other attributes', `POST ${ORDERS}`, { key: 'create', body: without('attributes') }, isProblem(422, 'guid-reused')),
    write('other method', `PUT ${ORDERS}/{{order}}`, { key: 'create', body: { version: 1, ...content } }, isProblem(422, 'guid-reused')),
    write('repeated after others were refused', `POST ${ORDERS}`, { key: 'create', body: content }, isReplayOf('create')),
    write('attributes in one order', `POST ${ORDERS}`, { key: 'attributes', body: { ...content, attributes: { a: 1, b: { c: 2, d: 3 } } } },
      isCreated(), keep('attributes')),
    write('attributes in another order are the same request', `POST ${ORDERS}`,
      { key: 'attributes', body: { ...content, attributes: { b: { d: 3, c: 2 }, a: 1 } } }, isReplayOf('attributes')),

    write('replace', `PUT ${ORDERS}/{{order}}`, { key: 'put', body: { version: 1, ...content, currency: 'USD' } },
      isUpdated(2, { currency: 'USD' }), executed, keep('put')),
    write('replace repeated: dedupe comes before version', `PUT ${ORDERS}/{{order}}`,
      { key: 'put', body: { version: 1, ...content, currency: 'USD' } }, isReplayOf('put')),
    write('replace with another version', `PUT ${ORDERS}/{{order}}`, { key: 'put', body: { version: 2, ...content, currency: 'USD' } },
      isProblem(422, 'guid-reused')),
    patch('merge', `${ORDERS}/{{order}}`, { key: 'patch', body: { version: 2, attributes: { gift: true } } },
      isUpdated(3, { attributes: { channel: 'web', gift: true } }), executed, keep('patch')),
    patch('merge repeated', `${ORDERS}/{{order}}`, { key: 'patch', body: { version: 2, attributes: { gift: true } } }, isReplayOf('patch')),
    patch('merge with another value', `${ORDERS}/{{order}}`, { key: 'patch', body: { version: 2, attributes: { gift: false } } },
      isProblem(422, 'guid-reused')),
    write('status', `POST ${ORDERS}/{{order}}/status`, { key: 'status', body: { version: 3, status: 'confirmed' } },
      isUpdated(4, { status: 'confirmed' }), executed, keep('status')),
    write('status repeated', `POST ${ORDERS}/{{order}}/status`, { key: 'status', body: { version: 3, status: 'confirmed' } },
      isReplayOf('status')),
    write('status with another value', `POST ${ORDERS}/{{order}}/status`, { key: 'status', body: { version: 3, status: 'cancelled' } },
      isProblem(422, 'guid-reused')),
    anOrder('other'),
    write('the same body for another order', `PUT ${ORDERS}/{{other}}`, { key: 'put', body: { version: 1, ...content, currency: 'USD' } },
      isProblem(422, 'guid-reused')),

    write('3043 as 409', `PUT ${ORDERS}/{{order}}`, { key: 'stale-409', body: { version: 2, ...content } }, isStale(409, 4, 2), executed,
      keep('stale_409')),
    patch('3043 as 412', `${ORDERS}/{{order}}`, { key: 'stale-412', headers: [['If-Match', '"3"']], body: { currency: 'CHF' } },
      isStale(412, 4, 3), executed, keep('stale_412')),
    write('3044', `POST ${ORDERS}/{{order}}/status`, { key: 'not-allowed', body: { version: 4, status: 'delivered' } },
      isProblem(409, 'status-not-allowed', { code: 3044 }), executed, keep('not_allowed')),
    write('ship', `POST ${ORDERS}/{{order}}/status`, { key: 'ship', headers: [['If-Match', '"4"']], body: { status: 'shipped' } },
      isUpdated(5, { status: 'shipped' }), executed, keep('ship')),
    write('3045', `PUT ${ORDERS}/{{order}}`, { key: 'closed', body: { version: 5, ...content } },
      isProblem(409, 'order-closed', { code: 3045 }), executed, keep('closed')),
    write('deliver', `POST ${ORDERS}/{{order}}/status`, { body: { version: 5, status: 'delivered' } }, isUpdated(6, { status: 'delivered' })),

    write('3043 as 409 repeated: still the versions of then', `PUT ${ORDERS}/{{order}}`,
      { key: 'stale-409', body: { version: 2, ...content } }, isReplayOf('stale_409')),
    patch('3043 as 412 repeated', `${ORDERS}/{{order}}`,
      { key: 'stale-412', headers: [['If-Match', '"3"']], body: { currency: 'CHF' } }, isReplayOf('stale_412')),
    write('3044 repeated', `POST ${ORDERS}/{{order}}/status`, { key: 'not-allowed', body: { version: 4, status: 'delivered' } },
      isReplayOf('not_allowed')),
    write('3045 repeated', `PUT ${ORDERS}/{{order}}`, { key: 'closed', body: { version: 5, ...content } }, isReplayOf('closed')),
    write('a refused GUID with another request', `PUT ${ORDERS}/{{order}}`,
      { key: 'stale-409', body: { version: 6, ...content } }, isProblem(422, 'guid-reused')),
    write('create repeated at version 6', `POST ${ORDERS}`, { key: 'create', body: content }, isReplayOf('create')),
    write('replace repeated at version 6', `PUT ${ORDERS}/{{order}}`, { key: 'put', body: { version: 1, ...content, currency: 'USD' } },
      isReplayOf('put')),
    write('ship repeated at version 6', `POST ${ORDERS}/{{order}}/status`,
      { key: 'ship', headers: [['If-Match', '"4"']], body: { status: 'shipped' } }, isReplayOf('ship')),
    read('nothing was executed twice', `GET ${ORDERS}/{{order}}`, {}, isOrder(6, { status: 'delivered', currency: 'USD' })),
  ],
);

const conflicts = folder(
  'Conflicts',
  'What an update against an old version is told, and how it is merged.',
  [
    anOrder('order'),
    write('the first clerk', `PUT ${ORDERS}/{{order}}`, { body: { version: 1, ...content, currency: 'USD' } }, isUpdated(2)),
    patch('the second clerk gets the changes', `${ORDERS}/{{order}}`, { key: 'refused', body: { version: 1, currency: 'CHF' } }, isStale(409, 2, 1),
      check('changes', "pm.expect(pm.response.json().changes).to.include({ version: 2, currency: 'USD' });"), keep('refused')),
    patch('again', `${ORDERS}/{{order}}`, { key: 'refused', body: { version: 1, currency: 'CHF' } }, isReplayOf('refused')),
    patch('a version of the future gets the list', `${ORDERS}/{{order}}`, { body: { version: 9, currency: 'CHF' } }, isStale(409, 2, 9),
      check('versions', "pm.expect(pm.response.json().versions).to.match(/^\\/api\\/v1\\/orders\\/[^/]+\\/versions$/);")),
    patch('clashing fields', `${ORDERS}/{{order}}`,
      { key: 'clash', headers: [['If-Match', '"1"'], ['Prefer', 'merge']], body: { currency: 'CHF' } }, isStale(412, 2, 1),
      header('Preference-Applied', 'merge'),
      check('conflicts', "pm.expect(pm.response.json().conflicts).to.eql([{ pointer: '/currency' }]);"), keep('clash')),
    patch('clashing fields again, asked for in the body', `${ORDERS}/{{order}}`,
      { key: 'clash', headers: [['If-Match', '"1"']], body: { currency: 'CHF', on_conflict: 'merge' } }, isReplayOf('clash')),
    patch('merged', `${ORDERS}/{{order}}`, { key: 'merged', body: { version: 1, attributes: { gift: true }, on_conflict: 'merge' } },
      isUpdated(3, { currency: 'USD', merged_from: 1 }), header('Preference-Applied', 'merge'), keep('merged')),
    patch('merged again', `${ORDERS}/{{order}}`, { key: 'merged', body: { version: 1, attributes: { gift: true }, on_conflict: 'merge' } },
      isReplayOf('merged')),
    patch('the same key without a merge', `${ORDERS}/{{order}}`, { key: 'merged', body: { version: 1, attributes: { gift: true } } },
      isProblem(422, 'guid-reused')),
    write('a whole content merged', `PUT ${ORDERS}/{{order}}`, { headers: [['Prefer', 'respond-async, merge']],
      body: { version: 1, ...content, customer_id: 'c-merged' } }, isUpdated(4, { customer_id: 'c-merged', currency: 'USD', merged_from: 1 })),
    patch('another word', `${ORDERS}/{{order}}`, { body: { version: 4, on_conflict: 'overwrite' } }, isInvalid('/on_conflict')),
  ],
);

const notRecorded = folder(
  'Idempotency: not recorded',
  'After 400, 404, 413, 415, 422 and 428 the same GUID is free for the corrected request.',
  [
    anOrder('order'),
    ...[
      ['400 malformed-json', { body: '{' }, isProblem(400, 'malformed-json')],
      ['413', { body: '{{body}}', before: ["pm.variables.set('body', ' '.repeat(1048577));"] }, isProblem(413, 'body-too-large')],
      ['415', { type: 'text/plain', body: content }, isProblem(415, 'unsupported-media-type')],
      ['422 invalid-order', { body: { ...content, currency: 'eur' } }, isInvalid('/currency')],
    ].map(([name, options, outcome]) => [
      write(name, `POST ${ORDERS}`, { key: name.replaceAll(' ', '-'), ...options }, outcome, executed),
      read(`${name}: no message`, `GET /api/v1/messages/${guid(name.replaceAll(' ', '-'))}`, {}, isProblem(404, 'message-not-found')),
      write(`${name}: corrected`, `POST ${ORDERS}`, { key: name.replaceAll(' ', '-'), body: content }, isCreated(), executed),
    ]),
    write('400 version-mismatch', `PUT ${ORDERS}/{{order}}`,
      { key: 'mismatch', headers: [['If-Match', '"1"']], body: { version: 2, ...content } }, isProblem(400, 'version-mismatch'), executed),
    write('400 version-mismatch: corrected', `PUT ${ORDERS}/{{order}}`,
      { key: 'mismatch', headers: [['If-Match', '"1"']], body: { version: 1, ...content } }, isUpdated(2), executed),
    write('428', `PUT ${ORDERS}/{{order}}`, { key: 'required', body: content }, isProblem(428, 'version-required'), executed),
    write('428: corrected', `PUT ${ORDERS}/{{order}}`, { key: 'required', body: { version: 2, ...content } }, isUpdated(3), executed),
    write('404', `PUT ${ORDERS}/${UNKNOWN}`, { key: 'unknown', body: { version: 3, ...content } }, isProblem(404, 'order-not-found'), executed),
    write('404 again is no replay', `PUT ${ORDERS}/${UNKNOWN}`, { key: 'unknown', body: { version: 3, ...content } },
      isProblem(404, 'order-not-found'), executed),
    write('404: corrected', `PUT ${ORDERS}/{{order}}`, { key: 'unknown', body: { version: 3, ...content } }, isUpdated(4), executed),
    patch('large attributes', `${ORDERS}/{{order}}`,
      { body: '{"version":4,"attributes":{"a":"{{large}}"}}', before: ["pm.variables.set('large', 'a'.repeat(10240));"] }, isUpdated(5)),
    patch('422 of a merged result', `${ORDERS}/{{order}}`,
      { key: 'merged', body: '{"version":5,"attributes":{"b":"{{large}}"}}', before: ["pm.variables.set('large', 'b'.repeat(10240));"] },
      isInvalid('/attributes'), executed),
    patch('422 of a merged result: corrected', `${ORDERS}/{{order}}`, { key: 'merged', body: { version: 5, attributes: { b: 'b' } } },
      isUpdated(6), executed),
  ].flat(),
);

const messages = folder(
  'Messages',
  'What is recorded for a GUID: the canonical request and the answer.',
  [
    write('create', `POST ${ORDERS}`, { key: 'create', body: { guid: guid('create'), ...content } }, isCreated(), keep('create'),
      save('order', 'order.order_id')),
    message('create', 'POST', ORDERS, content, 201, 201, 1),
    write('create without attributes', `POST ${ORDERS}`, { key: 'plain', body: without('attributes') }, isCreated(), keep('plain'),
      save('plain', 'order.order_id')),
    message('plain', 'POST', ORDERS, without('attributes'), 201, 201, 1, '{{plain}}'),
    write('replace', `PUT ${ORDERS}/{{order}}`, { key: 'put', body: { ...content, currency: 'USD', version: 1 } }, isUpdated(2), keep('put')),
    message('put', 'PUT', `${ORDERS}/{{order}}`, { ...content, currency: 'USD', version: 1 }, 200, 200, 2),
    patch('merge', `${ORDERS}/{{order}}`, { key: 'patch', headers: [['If-Match', '"2"']], body: { attributes: { channel: null, gift: 1 } } },
      isUpdated(3), keep('patch')),
    message('patch', 'PATCH', `${ORDERS}/{{order}}`, { attributes: { channel: null, gift: 1 }, version: 2 }, 200, 200, 3),
    write('status', `POST ${ORDERS}/{{order}}/status`, { key: 'status', body: { status: 'confirmed', version: 3 } }, isUpdated(4), keep('status')),
    message('status', 'POST', `${ORDERS}/{{order}}/status`, { status: 'confirmed', version: 3 }, 200, 200, 4),
    write('3043 as 409', `PUT ${ORDERS}/{{order}}`, { key: 'stale', body: { ...content, version: 1 } }, isStale(409, 4, 1), keep('stale')),
    message('stale', 'PUT', `${ORDERS}/{{order}}`, { ...content, version: 1 }, 409, 3043, null),
    write('3043 as 412', `POST ${ORDERS}/{{order}}/status`, { key: 'stale-412', headers: [['If-Match', '"1"']], body: { status: 'shipped' } },
      isStale(412, 4, 1), keep('stale-412')),
    message('stale-412', 'POST', `${ORDERS}/{{order}}/status`, { status: 'shipped', version: 1 }, 412, 3043, null),
    write('3044', `POST ${ORDERS}/{{order}}/status`, { key: 'not-allowed', body: { status: 'delivered', version: 4 } },
      isProblem(409, 'status-not-allowed'), keep('not-allowed')),
    message('not-allowed', 'POST', `${ORDERS}/{{order}}/status`, { status: 'delivered', version: 4 }, 409, 3044, null),
    write('cancel', `POST ${ORDERS}/{{order}}/status`, { body: { status: 'cancelled', version: 4 } }, isUpdated(5)),
    patch('3045', `${ORDERS}/{{order}}`, { key: 'closed', body: { currency: 'CHF', version: 5 } }, isProblem(409, 'order-closed'), keep('closed')),
    message('closed', 'PATCH', `${ORDERS}/{{order}}`, { currency: 'CHF', version: 5 }, 409, 3045, null),
    read('unknown GUID', `GET /api/v1/messages/${guid('unknown')}`, {}, isProblem(404, 'message-not-found')),
    write('a GUID with characters that a path encodes', `POST ${ORDERS}`,
      { key: null, headers: [['Idempotency-Key', '{{run}}/?#%']], body: content }, isCreated()),
    read('is found percent-encoded', 'GET /api/v1/messages/{{run}}%2F%3F%23%25', {}, status(200), bodyHas({ guid: '{{run}}/?#%' })),
  ],
);
function message(key, method, path, body, httpStatus, code, version, order = '{{order}}') {
  return read(`message of ${key}`, `GET /api/v1/messages/${guid(key)}`, {},
    status(200),
    noHeader('ETag'),
    bodyHas({ code: 200, message: 'ok', guid: guid(key), state: 'completed', request: { method, path, body }, order_id: order, version }),
    check('response is the answer that the request got',
      `const answer = JSON.parse(pm.collectionVariables.get('answer_${key}'));`,
      `pm.expect(answer.status).to.eql(${httpStatus});`,
      `pm.expect(pm.response.json().response).to.eql({ status: ${httpStatus}, code: ${code}, body: JSON.parse(answer.body) });`),
    check('created_at is before expires_at, which the answer named as well',
      'const { created_at, expires_at } = pm.response.json();',
      'pm.expect(Date.parse(created_at)).to.be.below(Date.parse(expires_at));',
      `const named = Date.parse(pm.collectionVariables.get('expires_${key}'));`,
      'pm.expect(Date.parse(expires_at)).to.be.within(named - 1000, named + 1000);'));
}

// Returns a prerequest line that sets {{order_text}}: the content with one part built by JavaScript.
const built = (expression) => [
  `const order = ${text(content)};`,
  "order.customer_id = 'c-' + pm.variables.get('run');",
  `${expression};`,
  "pm.variables.set('order_text', JSON.stringify(order));",
];
const within = (name, expression, ...checks) =>
  write(`allowed: ${name}`, `POST ${ORDERS}`, { body: '{{order_text}}', before: built(expression) }, isCreated(), ...checks);
const beyond = (name, expression, ...pointers) =>
  write(`refused: ${name}`, `POST ${ORDERS}`, { body: '{{order_text}}', before: built(expression) }, isInvalid(...pointers));
const raw = (name, body, ...pointers) => write(`refused: ${name}`, `POST ${ORDERS}`, { body }, isInvalid(...pointers));
const orderHas = (members) => check('order', `pm.expect(pm.response.json().order).to.deep.include(${text(members)});`);

const contentRules = folder(
  'Content of an order',
  'Every bound from both sides, every wrong type, unknown and duplicate members, and all errors at once.',
  [
    within('customer_id of 128 characters', "order.customer_id = 'c'.repeat(128)"),
    within('customer_id of 128 two-byte characters', "order.customer_id = '\\u00e9'.repeat(128)"),
    within('customer_id of 1 character', "order.customer_id = 'c'"),
    within('sku of 64 characters', "order.items[0].sku = 's'.repeat(64)"),
    within('quantity 1', 'order.items[0].quantity = 1', orderHas({ total: 1999 })),
    within('quantity 1000000', 'order.items[0].quantity = 1000000', orderHas({ total: 1999000000 })),
    within('unit_price 0', 'order.items[0].unit_price = 0', orderHas({ total: 0 })),
    within('unit_price 10^12', 'order.items[0].unit_price = 1e12', orderHas({ total: 2e12 })),
    within('500 items', 'order.items = Array(500).fill(order.items[0])', orderHas({ total: 500 * 3998 })),
    within('a total of 2^53 - 1', "order.items = [{ sku: 'A-1', quantity: 69431, unit_price: 129728784761 }]",
      orderHas({ total: Number.MAX_SAFE_INTEGER })),
    within('no attributes', 'delete order.attributes', noAttributes),
    within('attributes of 15 KiB', "order.attributes = { a: 'a'.repeat(15 * 1024) }"),
    within('attributes of every JSON type',
      'order.attributes = { a: null, b: true, c: [1, -1.5, "x", { d: {} }], e: 9007199254740991, f: -9007199254740991 }',
      orderHas({ attributes: { a: null, b: true, c: [1, -1.5, 'x', { d: {} }], e: 9007199254740991, f: -9007199254740991 } })),
    within('attributes nested 50 deep', 'order.attributes = JSON.parse(\'{"a":\'.repeat(50) + 1 + \'}\'.repeat(50))'),
    within('text beyond ASCII', "order.attributes = { name: '\\u017b\\u00f3\\u0142\\u0107 \\ud83d\\ude80 \\\"\\\\\\n' }",
      orderHas({ attributes: { name: '\u017b\u00f3\u0142\u0107 \ud83d\ude80 "\\\n' } })),

    within('external_id of 128 characters', "order.external_id = '\\u00e9'.repeat(128)"),
    within('external_id of 1 character', "order.external_id = ' '", orderHas({ external_id: ' ' })),
    beyond('external_id empty', "order.external_id = ''", '/external_id'),
    beyond('external_id of 129 characters', "order.external_id = 'c'.repeat(129)", '/external_id'),
    beyond('external_id with a line break', "order.external_id = 'a\\n'", '/external_id'),
    beyond('external_id with a control character beyond ASCII', "order.external_id = 'a\\u0085'", '/external_id'),
    beyond('external_id null', 'order.external_id = null', '/external_id'),
    beyond('external_id a number', 'order.external_id = 7', '/external_id'),

    beyond('customer_id empty', "order.customer_id = ''", '/customer_id'),
    beyond('customer_id of 129 characters', "order.customer_id = 'c'.repeat(129)", '/customer_id'),
    beyond('customer_id a number', 'order.customer_id = 5', '/customer_id'),
    beyond('customer_id null', 'order.customer_id = null', '/customer_id'),
    beyond('customer_id missing', 'delete order.customer_id', '/customer_id'),
    beyond('currency in small letters', "order.currency = 'eur'", '/currency'),
    beyond('currency of two letters', "order.currency = 'EU'", '/currency'),
    beyond('currency of four letters', "order.currency = 'EURO'", '/currency'),
    beyond('currency a number', 'order.currency = 978', '/currency'),
    beyond('currency missing', 'delete order.currency', '/currency'),
    beyond('items empty', 'order.items = []', '/items'),
    beyond('501 items', 'order.items = Array(501).fill(order.items[0])', '/items'),
    beyond('items an object', 'order.items = {}', '/items'),
    beyond('items missing', 'delete order.items', '/items'),
    beyond('an item that is a number', 'order.items = [5]', '/items/0'),
    beyond('sku empty', "order.items[0].sku = ''", '/items/0/sku'),
    beyond('sku of 65 characters', "order.items[0].sku = 's'.repeat(65)", '/items/0/sku'),
    beyond('sku a number', 'order.items[0].sku = 7', '/items/0/sku'),
    beyond('sku missing', 'delete order.items[0].sku', '/items/0/sku'),
    beyond('quantity 0', 'order.items[0].quantity = 0', '/items/0/quantity'),
    beyond('quantity negative', 'order.items[0].quantity = -1', '/items/0/quantity'),
    beyond('quantity 1000001', 'order.items[0].quantity = 1000001', '/items/0/quantity'),
    beyond('quantity not whole', 'order.items[0].quantity = 1.5', '/items/0/quantity'),
    beyond('quantity a string', "order.items[0].quantity = '2'", '/items/0/quantity'),
    beyond('quantity missing', 'delete order.items[0].quantity', '/items/0/quantity'),
    beyond('unit_price negative', 'order.items[0].unit_price = -1', '/items/0/unit_price'),
    beyond('unit_price 10^12 + 1', 'order.items[0].unit_price = 1e12 + 1', '/items/0/unit_price'),
    beyond('unit_price not whole', 'order.items[0].unit_price = 0.5', '/items/0/unit_price'),
    beyond('unit_price a string', "order.items[0].unit_price = '1999'", '/items/0/unit_price'),
    beyond('unit_price missing', 'delete order.items[0].unit_price', '/items/0/unit_price'),
    beyond('the second item', 'order.items.push({ ...order.items[0], quantity: 0 })', '/items/1/quantity'),
    write('refused: a total of 2^53', `POST ${ORDERS}`,
      { body: { ...content, items: [{ sku: 'A-1', quantity: 69431, unit_price: 129728784761 }, { sku: 'A-2', quantity: 1, unit_price: 1 }] } },
      isProblem(422, 'invalid-order')),
    write('refused: a total far beyond 64 bits', `POST ${ORDERS}`,
      { body: '{{order_text}}', before: built("order.items = Array(500).fill({ sku: 'A-1', quantity: 1e6, unit_price: 1e12 })") },
      isProblem(422, 'invalid-order')),
    beyond('attributes an array', 'order.attributes = []', '/attributes'),
    beyond('attributes a string', "order.attributes = 'web'", '/attributes'),
    beyond('attributes null', 'order.attributes = null', '/attributes'),
    beyond('attributes of 17 KiB', "order.attributes = { a: 'a'.repeat(17 * 1024) }", '/attributes'),
    beyond('an attribute of 2^53', 'order.attributes = { n: 9007199254740992 }', '/attributes/n'),
    beyond('an attribute of -(2^53)', 'order.attributes = { a: [0, { n: -9007199254740992 }] }', '/attributes/a/1/n'),
    beyond('U+0000 in customer_id', "order.customer_id += '\\u0000'", '/customer_id'),
    beyond('U+0000 in a sku', "order.items[0].sku = '\\u0000'", '/items/0/sku'),
    beyond('U+0000 in an attribute', "order.attributes = { a: [0, { b: 'x\\u0000' }] }", '/attributes/a/1/b'),
    beyond('U+0000 in the name of an attribute', "order.attributes = { a: { 'b\\u0000': 1 } }", '/attributes/a/b\u0000'),
    beyond('an unknown member', "order.colour = 'red'", '/colour'),
    beyond('an unknown member whose name needs escapes', "order['a/b~c'] = 1", '/a~1b~0c'),
    beyond('an unknown member of an item', "order.items[0].colour = 'red'", '/items/0/colour'),
    ...['version', 'status', 'order_id', 'total', 'created_at'].map((member) =>
      beyond(`member ${member} on create`, `order.${member} = 1`, `/${member}`)),
    raw('a duplicate member', '{"customer_id":"c","currency":"EUR","items":[{"sku":"A","quantity":1,"unit_price":1}],"currency":"USD"}', '/currency'),
    raw('a duplicate member of an item', '{"customer_id":"c","currency":"EUR","items":[{"sku":"A","quantity":1,"unit_price":1,"sku":"B"}]}', '/items/0/sku'),
    raw('an array', '[]', ''),
    raw('a string', '"order"', ''),
    raw('a number', '5', ''),
    raw('null', 'null', ''),
    raw('everything missing', '{}', '/customer_id', '/currency', '/items'),
    beyond('many faults, all named',
      "order.customer_id = ''; order.currency = 'eur'; order.colour = 1; order.attributes = [];"
        + " order.items = [{ sku: 's'.repeat(65), quantity: 0, unit_price: -1 }, { sku: 'A', quantity: '1', unit_price: 1, x: 1 }]",
      '/customer_id', '/currency', '/colour', '/attributes', '/items/0/sku', '/items/0/quantity', '/items/0/unit_price',
      '/items/1/quantity', '/items/1/x'),

    anOrder('order'),
    write('replace: the same rules', `PUT ${ORDERS}/{{order}}`, { body: { version: 1, currency: 'eur', items: [], status: 'confirmed' } },
      isInvalid('/customer_id', '/currency', '/items', '/status')),
    patch('merge: the same rules', `${ORDERS}/{{order}}`, { body: { version: 1, currency: 'eur', items: [], status: 'confirmed' } },
      isInvalid('/currency', '/items', '/status')),
    patch('merge: U+0000 in a text and in a name that it removes', `${ORDERS}/{{order}}`,
      { body: { version: 1, attributes: { a: '\u0000', 'b\u0000': null } } }, isInvalid('/attributes/a', '/attributes/b\u0000')),
    write('status: unknown', `POST ${ORDERS}/{{order}}/status`, { body: { version: 1, status: 'lost' } }, isInvalid('/status')),
    write('status: missing', `POST ${ORDERS}/{{order}}/status`, { body: { version: 1 } }, isInvalid('/status')),
    write('status: a number', `POST ${ORDERS}/{{order}}/status`, { body: { version: 1, status: 1 } }, isInvalid('/status')),
    write('status: unknown member', `POST ${ORDERS}/{{order}}/status`, { body: { version: 1, status: 'confirmed', reason: 'x' } },
      isInvalid('/reason')),
    read('nothing was changed', `GET ${ORDERS}/{{order}}`, {}, isOrder(1, { status: 'new', ...content })),
  ],
);

const notJson = [
  ['nothing', ''],
  ['an object without its end', '{"customer_id":"c"'],
  ['two values', '{} {}'],
  ['single quotes', "{'customer_id':'c'}"],
  ['a trailing comma', '{"customer_id":"c",}'],
  ['NaN', '{"customer_id":NaN}'],
  ['an integer beyond 64 bits', '{"attributes":{"n":18446744073709551616}}'],
  ['an integer below 64 bits', '{"attributes":{"n":-9223372036854775809}}'],
  ['nested 70 deep', `{"attributes":{"a":${'['.repeat(70)}${']'.repeat(70)}}}`],
];
const bodies = folder(
  'Bodies',
  'Not JSON (400), the wrong media type (415), too large (413).',
  [
    anOrder('order'),
    ...notJson.map(([name, body]) => write(`not JSON: ${name}`, `POST ${ORDERS}`, { body }, isProblem(400, 'malformed-json'))),
    write('not JSON: replace', `PUT ${ORDERS}/{{order}}`, { body: '{' }, isProblem(400, 'malformed-json')),
    patch('not JSON: merge', `${ORDERS}/{{order}}`, { body: '{' }, isProblem(400, 'malformed-json')),
    write('not JSON: status', `POST ${ORDERS}/{{order}}/status`, { body: '{' }, isProblem(400, 'malformed-json')),

    ...['text/plain', 'application/x-www-form-urlencoded', MERGE, 'application/vnd.order+json', 'application/jsonx'].map((type) =>
      write(`415: ${type}`, `POST ${ORDERS}`, { type, body: content }, isProblem(415, 'unsupported-media-type'), noHeader('Accept-Patch'))),
    write('415: no Content-Type', `POST ${ORDERS}`, { type: null, body: content }, isProblem(415, 'unsupported-media-type')),
    write('415: replace with a merge patch', `PUT ${ORDERS}/{{order}}`, { type: MERGE, body: { version: 1, ...content } },
      isProblem(415, 'unsupported-media-type')),
    write('415: status with a merge patch', `POST ${ORDERS}/{{order}}/status`, { type: MERGE, body: { version: 1, status: 'confirmed' } },
      isProblem(415, 'unsupported-media-type')),
    patch('415: merge with text', `${ORDERS}/{{order}}`, { type: 'text/plain', body: { version: 1, currency: 'USD' } },
      isProblem(415, 'unsupported-media-type'), header('Accept-Patch', MERGE)),
    patch('415: merge with a JSON patch', `${ORDERS}/{{order}}`, { type: 'application/json-patch+json', body: [] },
      isProblem(415, 'unsupported-media-type'), header('Accept-Patch', MERGE)),
    write('415: another charset', `POST ${ORDERS}`, { type: 'application/json; charset=utf-16', body: content },
      isProblem(415, 'unsupported-media-type'), noHeader('Accept-Encoding')),
    ...[['POST', ORDERS], ['PUT', `${ORDERS}/{{order}}`], ['POST', `${ORDERS}/{{order}}/status`], ['POST', `${ORDERS}/batch`], ['POST', COMMANDS]].map(([method, path]) =>
      write(`415: coded, ${method} ${path}`, `${method} ${path}`, { headers: [['Content-Encoding', 'gzip']], body: content },
        isProblem(415, 'unsupported-media-type'), header('Accept-Encoding', 'identity'))),
    write('allowed: charset', `POST ${ORDERS}`, { type: 'application/json; charset=utf-8', body: content }, isCreated()),
    write('allowed: another case', `POST ${ORDERS}`, { type: 'Application/JSON;Charset=UTF-8', body: content }, isCreated()),
    patch('allowed: merge as application/json', `${ORDERS}/{{order}}`, { type: 'application/json', body: { version: 1, currency: 'USD' } },
      isUpdated(2, { currency: 'USD' })),
    patch('allowed: merge with a charset', `${ORDERS}/{{order}}`, { type: `${MERGE}; charset=utf-8`, body: { version: 2, currency: 'CHF' } },
      isUpdated(3, { currency: 'CHF' })),

    write('allowed: exactly 1 MiB', `POST ${ORDERS}`,
      { body: '{{order_text}}', before: [...built(''), "pm.variables.set('order_text', pm.variables.get('order_text').padEnd(1048576));"] },
      isCreated()),
    write('413: one byte more', `POST ${ORDERS}`,
      { body: '{{order_text}}', before: [...built(''), "pm.variables.set('order_text', pm.variables.get('order_text').padEnd(1048577));"] },
      isProblem(413, 'body-too-large'), header('Connection', 'close')),
    write('413: replace', `PUT ${ORDERS}/{{order}}`, { body: '{{large}}', before: ["pm.variables.set('large', ' '.repeat(1048577));"] },
      isProblem(413, 'body-too-large')),
    patch('413: merge', `${ORDERS}/{{order}}`, { body: '{{large}}', before: ["pm.variables.set('large', ' '.repeat(1048577));"] },
      isProblem(413, 'body-too-large')),
    write('413: status', `POST ${ORDERS}/{{order}}/status`, { body: '{{large}}', before: ["pm.variables.set('large', ' '.repeat(1048577));"] },
      isProblem(413, 'body-too-large')),
  ],
);

const ifMatch = (value) => [['If-Match', value]];
const versions = folder(
  'Versions',
  'A write names the version that it was made against: in the body, by If-Match, or by both.',
  [
    anOrder('order'),
    write('428: replace', `PUT ${ORDERS}/{{order}}`, { body: content }, isProblem(428, 'version-required')),
    patch('428: merge', `${ORDERS}/{{order}}`, { body: { currency: 'USD' } }, isProblem(428, 'version-required')),
    write('428: status', `POST ${ORDERS}/{{order}}/status`, { body: { status: 'confirmed' } }, isProblem(428, 'version-required')),

    write('by body', `PUT ${ORDERS}/{{order}}`, { body: { version: 1, ...content } }, isUpdated(2)),
    write('by If-Match', `PUT ${ORDERS}/{{order}}`, { headers: ifMatch('"2"'), body: content }, isUpdated(3)),
    write('by both, agreeing', `PUT ${ORDERS}/{{order}}`, { headers: ifMatch('"3"'), body: { version: 3, ...content } }, isUpdated(4)),
    patch('merge by If-Match', `${ORDERS}/{{order}}`, { headers: ifMatch('"4"'), body: { currency: 'USD' } }, isUpdated(5)),
    patch('merge by both', `${ORDERS}/{{order}}`, { headers: ifMatch('"5"'), body: { version: 5, currency: 'EUR' } }, isUpdated(6)),
    write('status by If-Match', `POST ${ORDERS}/{{order}}/status`, { headers: ifMatch('"6"'), body: { status: 'confirmed' } },
      isUpdated(7, { status: 'confirmed' })),

    write('not agreeing: replace', `PUT ${ORDERS}/{{order}}`, { headers: ifMatch('"7"'), body: { version: 6, ...content } },
      isProblem(400, 'version-mismatch')),
    patch('not agreeing: merge', `${ORDERS}/{{order}}`, { headers: ifMatch('"6"'), body: { version: 7, currency: 'USD' } },
      isProblem(400, 'version-mismatch')),
    write('not agreeing: status', `POST ${ORDERS}/{{order}}/status`, { headers: ifMatch('"7"'), body: { version: 8, status: 'shipped' } },
      isProblem(400, 'version-mismatch')),

    ...['7', 'W/"7"', '*', '"7", "8"', '"seven"', '""', '"7', '"-7"', '"7.0"', '"7"x'].map((value) =>
      write(`If-Match malformed: ${value}`, `PUT ${ORDERS}/{{order}}`, { headers: ifMatch(value), body: content },
        isProblem(400, 'version-malformed'))),
    write('If-Match malformed: two lines', `PUT ${ORDERS}/{{order}}`, { headers: [...ifMatch('"7"'), ...ifMatch('"7"')], body: content },
      isProblem(400, 'version-malformed')),
    patch('If-Match malformed: merge', `${ORDERS}/{{order}}`, { headers: ifMatch('*'), body: { currency: 'USD' } },
      isProblem(400, 'version-malformed')),
    write('If-Match malformed: status', `POST ${ORDERS}/{{order}}/status`, { headers: ifMatch('*'), body: { status: 'shipped' } },
      isProblem(400, 'version-malformed')),
    ...[['a string', '7'], ['not whole', 7.5], ['null', null], ['true', true]].map(([name, version]) =>
      write(`version in the body: ${name}`, `PUT ${ORDERS}/{{order}}`, { body: { version, ...content } }, isInvalid('/version'))),

    ...[[6, 'old'], [99, 'from the future']].flatMap(([version, name]) => [
      write(`409, ${name}: replace`, `PUT ${ORDERS}/{{order}}`, { body: { version, ...content } }, isStale(409, 7, version)),
      patch(`409, ${name}: merge`, `${ORDERS}/{{order}}`, { body: { version, currency: 'USD' } }, isStale(409, 7, version)),
      write(`409, ${name}: status`, `POST ${ORDERS}/{{order}}/status`, { body: { version, status: 'shipped' } }, isStale(409, 7, version)),
      write(`412, ${name}: replace`, `PUT ${ORDERS}/{{order}}`, { headers: ifMatch(`"${version}"`), body: content }, isStale(412, 7, version)),
      patch(`412, ${name}: merge`, `${ORDERS}/{{order}}`, { headers: ifMatch(`"${version}"`), body: { currency: 'USD' } },
        isStale(412, 7, version)),
      write(`412, ${name}: status`, `POST ${ORDERS}/{{order}}/status`, { headers: ifMatch(`"${version}"`), body: { status: 'shipped' } },
        isStale(412, 7, version)),
    ]),
    read('nothing was changed', `GET ${ORDERS}/{{order}}`, {}, isOrder(7, { status: 'confirmed', ...content })),

    write('unknown order: replace', `PUT ${ORDERS}/${UNKNOWN}`, { body: { version: 1, ...content } }, isProblem(404, 'order-not-found')),
    patch('unknown order: merge', `${ORDERS}/${UNKNOWN}`, { body: { version: 1, currency: 'USD' } }, isProblem(404, 'order-not-found')),
    write('unknown order: status', `POST ${ORDERS}/${UNKNOWN}/status`, { body: { version: 1, status: 'confirmed' } },
      isProblem(404, 'order-not-found')),
    write('an id that is no UUID', `PUT ${ORDERS}/order-1`, { body: { version: 1, ...content } }, isProblem(404, 'order-not-found')),
  ],
);

const roads = {
  new: [],
  confirmed: ['confirmed'],
  shipped: ['confirmed', 'shipped'],
  delivered: ['confirmed', 'shipped', 'delivered'],
  cancelled: ['cancelled'],
};
const next = { new: ['confirmed', 'cancelled'], confirmed: ['shipped', 'cancelled'], shipped: ['delivered'], delivered: [], cancelled: [] };
const move = (name, order, to, version, ...checks) =>
  write(name, `POST ${ORDERS}/{{${order}}}/status`, { body: { status: to, version } }, ...checks);
const statusMoves = folder(
  'Status',
  'All 25 pairs of statuses: 5 moves are allowed, 20 are code 3044. Then what a closed order refuses, code 3045.',
  Object.entries(roads).flatMap(([from, road]) => {
    const version = road.length + 1;
    const closed = from !== 'new' && from !== 'confirmed';
    const forbidden = Object.keys(roads).filter((to) => !next[from].includes(to));
    return [
      anOrder(from),
      ...road.map((to, i) => move(`${from}: ${road[i - 1] ?? 'new'} to ${to}`, from, to, i + 1, isUpdated(i + 2, { status: to, ...content }))),
      ...forbidden.map((to) =>
        move(`${from} to ${to} is not allowed`, from, to, version, isProblem(409, 'status-not-allowed', { code: 3044 }))),
      move(`${from}: the version is checked first`, from, forbidden[0], version + 1, isStale(409, version, version + 1)),
      ...(closed
        ? [
            write(`${from}: replace`, `PUT ${ORDERS}/{{${from}}}`, { body: { version, ...content } }, isProblem(409, 'order-closed', { code: 3045 })),
            patch(`${from}: merge`, `${ORDERS}/{{${from}}}`, { headers: ifMatch(`"${version}"`), body: { currency: 'USD' } },
              isProblem(409, 'order-closed', { code: 3045 })),
            write(`${from}: replace with an old version`, `PUT ${ORDERS}/{{${from}}}`, { body: { version: version - 1, ...content } },
              isStale(409, version, version - 1)),
          ]
        : []),
      read(`${from}: unchanged by what was refused`, `GET ${ORDERS}/{{${from}}}`, {}, isOrder(version, { status: from, ...content })),
      ...(closed
        ? []
        : [
            write(`${from}: replace is allowed`, `PUT ${ORDERS}/{{${from}}}`, { body: { version, ...content, currency: 'USD' } },
              isUpdated(version + 1, { status: from, currency: 'USD' })),
            patch(`${from}: merge is allowed`, `${ORDERS}/{{${from}}}`, { body: { version: version + 1, currency: 'CHF' } },
              isUpdated(version + 2, { status: from, currency: 'CHF' })),
            move(`${from} to cancelled`, from, 'cancelled', version + 2, isUpdated(version + 3, { status: 'cancelled' })),
          ]),
    ];
  }),
);

const changes = folder(
  'Replace and merge',
  'PUT replaces the content. PATCH is an RFC 7396 merge patch.',
  [
    write('an order', `POST ${ORDERS}`,
      { body: { ...content, items: [item, { ...item, sku: 'A-2' }], attributes: { channel: 'web', address: { city: 'Pisa', zip: '56121' }, tags: [1, 2] } } },
      isCreated({ total: 7996 }), save('order', 'order.order_id'), save('created_at', 'order.created_at')),
    patch('one member', `${ORDERS}/{{order}}`, { body: { version: 1, currency: 'USD' } },
      isUpdated(2, { currency: 'USD', customer_id: 'c-{{run}}', total: 7996, created_at: '{{created_at}}' })),
    check_updated_at(),
    patch('items are replaced as a whole', `${ORDERS}/{{order}}`, { body: { version: 2, items: [{ ...item, sku: 'B-1', quantity: 5 }] } },
      isUpdated(3, { items: [{ ...item, sku: 'B-1', quantity: 5 }], total: 9995 })),
    patch('attributes are merged at every depth', `${ORDERS}/{{order}}`,
      { body: { version: 3, attributes: { gift: true, channel: null, address: { zip: null, street: 'Via Roma' }, tags: [3] } } },
      isUpdated(4, { attributes: { gift: true, address: { city: 'Pisa', street: 'Via Roma' }, tags: [3] } })),
    patch('an object takes the place of a value, without its nulls', `${ORDERS}/{{order}}`,
      { body: { version: 4, attributes: { gift: { paper: 'red', card: null } } } },
      isUpdated(5, { attributes: { gift: { paper: 'red' }, address: { city: 'Pisa', street: 'Via Roma' }, tags: [3] } })),
    patch('null for what is not there', `${ORDERS}/{{order}}`, { body: { version: 5, attributes: { nothing: null, address: 'none' } } },
      isUpdated(6, { attributes: { gift: { paper: 'red' }, address: 'none', tags: [3] } })),
    patch('null removes attributes', `${ORDERS}/{{order}}`, { body: { version: 6, attributes: null } }, isUpdated(7, { total: 9995 }), noAttributes),
    patch('attributes where none were', `${ORDERS}/{{order}}`, { body: { version: 7, attributes: { a: { b: null, c: 1 } } } },
      isUpdated(8, { attributes: { a: { c: 1 } } })),
    ...['customer_id', 'currency', 'items'].map((member) =>
      patch(`null for ${member}`, `${ORDERS}/{{order}}`, { body: { version: 8, [member]: null } }, isInvalid(`/${member}`))),
    patch('null for all required members', `${ORDERS}/{{order}}`, { body: { version: 8, customer_id: null, currency: null, items: null } },
      isInvalid('/customer_id', '/currency', '/items')),
    patch('attributes not an object', `${ORDERS}/{{order}}`, { body: { version: 8, attributes: 'web' } }, isInvalid('/attributes')),
    patch('a patch that is no object', `${ORDERS}/{{order}}`, { headers: ifMatch('"8"'), body: [] }, isInvalid('')),
    patch('an item in part', `${ORDERS}/{{order}}`, { body: { version: 8, items: [{ quantity: 1 }] } },
      isInvalid('/items/0/sku', '/items/0/unit_price')),
    read('refused patches changed nothing', `GET ${ORDERS}/{{order}}`, {}, isOrder(8, { attributes: { a: { c: 1 } }, currency: 'USD' })),
    write('replace without attributes', `PUT ${ORDERS}/{{order}}`, { body: { version: 8, ...without('attributes') } },
      isUpdated(9, { currency: 'EUR', items: [item], total: 3998, status: 'new', created_at: '{{created_at}}' }), noAttributes),
    write('replace with attributes', `PUT ${ORDERS}/{{order}}`, { body: { version: 9, ...content } }, isUpdated(10, content)),
    write('replace does not merge', `PUT ${ORDERS}/{{order}}`, { body: { version: 10, ...content, attributes: { gift: true } } },
      isUpdated(11, { attributes: { gift: true } })),
    write('replace with what is there makes a version', `PUT ${ORDERS}/{{order}}`,
      { body: { version: 11, ...content, attributes: { gift: true } } }, isUpdated(12, { attributes: { gift: true } })),
  ],
);
function check_updated_at() {
  return read('updated_at follows, created_at stays', `GET ${ORDERS}/{{order}}`, {}, isOrder(2, { created_at: '{{created_at}}' }),
    check('updated_at is not before created_at',
      'const { created_at, updated_at } = pm.response.json().order;',
      'pm.expect(Date.parse(updated_at)).to.be.at.least(Date.parse(created_at));'));
}

const showsAtLeastTheLastWrite = check('the position of the last write at least',
  "pm.expect(Number(pm.response.headers.get('Ordem-Position'))).to.be.at.least(pm.collectionVariables.get('position'));");

const reads = folder(
  'Reads',
  'The current version, ETag and If-None-Match, earlier versions.',
  [
    write('an order', `POST ${ORDERS}`, { body: content }, isCreated(), save('order', 'order.order_id'), keep('version_1')),
    read('get', `GET ${ORDERS}/{{order}}`, {}, isOrder(1, { order_id: '{{order}}', ...content }),
      check('the same order as in the answer to the create',
        "pm.expect(pm.response.json().order).to.eql(JSON.parse(JSON.parse(pm.collectionVariables.get('answer_version_1')).body).order);"),
      noHeader('Idempotency-Expires')),
    ...['"1"', 'W/"1"', '"0", "1"', '"0" , W/"1"', '*'].map((value) =>
      read(`If-None-Match ${value}`, `GET ${ORDERS}/{{order}}`, { headers: [['If-None-Match', value]] }, status(304), etag(1), empty)),
    read('If-None-Match of another version', `GET ${ORDERS}/{{order}}`, { headers: [['If-None-Match', '"2"']] }, isOrder(1)),
    read('If-None-Match in two lines', `GET ${ORDERS}/{{order}}`, { headers: [['If-None-Match', '"2"'], ['If-None-Match', '"1"']] },
      status(304), etag(1)),
    patch('version 2', `${ORDERS}/{{order}}`, { body: { version: 1, currency: 'USD' } }, isUpdated(2), keep('version_2')),
    move('version 3', 'order', 'confirmed', 2, isUpdated(3), keep('version_3')),
    read('If-None-Match of the version before', `GET ${ORDERS}/{{order}}`, { headers: [['If-None-Match', '"1", "2"']] }, isOrder(3)),
    ...[1, 2, 3].map((n) =>
      read(`as it was at version ${n}`, `GET ${ORDERS}/{{order}}/versions/${n}`, {}, isOrder(n),
        check(`the same order as in the answer that made version ${n}`,
          `pm.expect(pm.response.json().order).to.eql(JSON.parse(JSON.parse(pm.collectionVariables.get('answer_version_${n}')).body).order);`))),
    read('all versions', `GET ${ORDERS}/{{order}}/versions`, {}, status(200), noHeader('ETag'),
      bodyHas({ code: 200, message: 'ok', next_cursor: null }),
      check('newest first, each as it was',
        "const made = (n) => JSON.parse(JSON.parse(pm.collectionVariables.get('answer_version_' + n)).body).order;",
        'pm.expect(pm.response.json().versions).to.eql([made(3), made(2), made(1)]);')),
    read('unknown version', `GET ${ORDERS}/{{order}}/versions/4`, {}, isProblem(404, 'version-not-found')),
    read('version 0', `GET ${ORDERS}/{{order}}/versions/0`, {}, isProblem(404, 'version-not-found')),
    read('a version that is no number', `GET ${ORDERS}/{{order}}/versions/last`, {}, isProblem(404, 'version-not-found')),
    read('unknown order', `GET ${ORDERS}/${UNKNOWN}`, {}, isProblem(404, 'order-not-found')),
    read('an id that is no UUID', `GET ${ORDERS}/order-1`, {}, isProblem(404, 'order-not-found')),
    read('unknown order, If-None-Match *', `GET ${ORDERS}/${UNKNOWN}`, { headers: [['If-None-Match', '*']] }, isProblem(404, 'order-not-found')),
    read('versions of an unknown order', `GET ${ORDERS}/${UNKNOWN}/versions`, {}, isProblem(404, 'order-not-found')),
    read('a version of an unknown order', `GET ${ORDERS}/${UNKNOWN}/versions/1`, {}, isProblem(404, 'order-not-found')),
    ...[
      ['an order', `${ORDERS}/{{order}}`, isOrder(3)],
      ['a version', `${ORDERS}/{{order}}/versions/1`, isOrder(1)],
      ['all versions', `${ORDERS}/{{order}}/versions`, status(200)],
      ['orders', `${ORDERS}?customer_id=c-{{run}}`, status(200)],
      ['an unknown order', `${ORDERS}/${UNKNOWN}`, isProblem(404, 'order-not-found')],
      ['an unknown message', '/api/v1/messages/{{run}}-unknown-stale', isProblem(404, 'message-not-found')],
    ].map(([name, path, ...tests]) =>
      read(`${name}, stale`, `GET ${path}`, { headers: [['Ordem-Read', 'stale']] }, ...tests, showsAtLeastTheLastWrite)),
    read('not modified, stale', `GET ${ORDERS}/{{order}}`, { headers: [['Ordem-Read', 'stale'], ['If-None-Match', '"3"']] }, status(304),
      showsAtLeastTheLastWrite),
    read('a page of changes, stale', 'GET /api/v1/changes', { headers: [['Ordem-Read', 'stale']] }, status(200), noHeader('Ordem-Position')),
    read('another value of Ordem-Read', `GET ${ORDERS}/{{order}}`, { headers: [['Ordem-Read', 'fresh']] },
      isProblem(400, 'malformed-request'), noHeader('Connection')),
    read('Ordem-Read in two lines', `GET ${ORDERS}/{{order}}`, { headers: [['Ordem-Read', 'stale'], ['Ordem-Read', 'stale']] },
      isProblem(400, 'malformed-request')),
    read('without Ordem-Read', `GET ${ORDERS}/{{order}}`, {}, isOrder(3), noHeader('Ordem-Position')),
  ],
);

// Checks one page: its entries, and whether another page follows. Entries are names of variables or versions.
const orderPage = (names, more) => page('orders', 'order_id', names.map((name) => `pm.variables.get('${name}')`), more);
const versionPage = (numbers, more) => page('versions', 'version', numbers, more);
const page = (member, key, entries, more) => [
  ...status(200),
  ...noHeader('ETag'),
  ...check(`${entries.length} ${member}, ${more ? 'and more' : 'the last'}`,
    'const body = pm.response.json();',
    `pm.expect(body).to.include({ code: 200, message: 'ok' });`,
    `pm.expect(body.${member}.map((o) => o.${key})).to.eql([${entries.join(', ')}]);`,
    more ? "pm.expect(body.next_cursor).to.be.a('string').that.is.not.empty;" : 'pm.expect(body.next_cursor).to.eql(null);'),
  "pm.collectionVariables.set('cursor', encodeURIComponent(pm.response.json().next_cursor));",
];
const malformedQueries = [
  ['limit=0', 'limit'], ['limit=1001', 'limit'], ['limit=-1', 'limit'], ['limit=ten', 'limit'], ['limit=', 'limit'],
  ['limit=1.5', 'limit'], ['limit=99999999999999999999', 'limit'], ['cursor=!', 'cursor'], ['cursor=', 'cursor'], ['colour=red', 'colour'],
];
const lists = folder(
  'Lists',
  'The orders of a customer and the versions of an order, newest first, page by page.',
  [
    read('a customer without orders', `GET ${ORDERS}?customer_id=c-{{run}}`, {}, status(200),
      bodyIs({ code: 200, message: 'ok', orders: [], next_cursor: null })),
    ...[1, 2, 3, 4, 5].map((n) => anOrder(`o${n}`)),
    anOrder('elsewhere', { ...content, customer_id: 'd-{{run}}' }),
    read('all', `GET ${ORDERS}?customer_id=c-{{run}}`, {}, orderPage(['o5', 'o4', 'o3', 'o2', 'o1'], false)),
    read('first page', `GET ${ORDERS}?customer_id=c-{{run}}&limit=2`, {}, orderPage(['o5', 'o4'], true)),
    read('second page', `GET ${ORDERS}?customer_id=c-{{run}}&limit=2&cursor={{cursor}}`, {}, orderPage(['o3', 'o2'], true)),
    read('last page', `GET ${ORDERS}?customer_id=c-{{run}}&limit=2&cursor={{cursor}}`, {}, orderPage(['o1'], false)),
    read('largest limit', `GET ${ORDERS}?limit=1000&customer_id=c-{{run}}`, {}, orderPage(['o5', 'o4', 'o3', 'o2', 'o1'], false)),
    read('smallest limit', `GET ${ORDERS}?limit=1&customer_id=c-{{run}}`, {}, orderPage(['o5'], true)),
    anOrder('o6'),
    read('a page after its cursor is not moved by a new order', `GET ${ORDERS}?customer_id=c-{{run}}&limit=1&cursor={{cursor}}`, {},
      orderPage(['o4'], true)),
    write('a customer with characters that a query encodes', `POST ${ORDERS}`, { body: { ...content, customer_id: 'a b&c=\u00e9-{{run}}' } },
      isCreated(), save('encoded', 'order.order_id')),
    read('is found percent-encoded', `GET ${ORDERS}?customer_id=a%20b%26c%3D%C3%A9-{{run}}`, {}, orderPage(['encoded'], false)),
    patch('an order at a later version', `${ORDERS}/{{o1}}`, { body: { version: 1, currency: 'USD' } }, isUpdated(2)),
    read('is listed once, at its current version, in its place', `GET ${ORDERS}?customer_id=c-{{run}}`, {},
      orderPage(['o6', 'o5', 'o4', 'o3', 'o2', 'o1'], false),
      check('version 2', "pm.expect(pm.response.json().orders[5]).to.include({ version: 2, currency: 'USD' });")),

    ...[2, 3, 4].map((version) => patch(`version ${version + 1}`, `${ORDERS}/{{o1}}`, { body: { version, attributes: { n: version } } },
      isUpdated(version + 1))),
    read('versions', `GET ${ORDERS}/{{o1}}/versions`, {}, versionPage([5, 4, 3, 2, 1], false)),
    read('versions, first page', `GET ${ORDERS}/{{o1}}/versions?limit=2`, {}, versionPage([5, 4], true)),
    read('versions, second page', `GET ${ORDERS}/{{o1}}/versions?limit=2&cursor={{cursor}}`, {}, versionPage([3, 2], true)),
    read('versions, last page', `GET ${ORDERS}/{{o1}}/versions?limit=2&cursor={{cursor}}`, {}, versionPage([1], false)),

    ...malformedQueries.flatMap(([query, name]) => [
      read(`orders?${query}`, `GET ${ORDERS}?customer_id=c-{{run}}&${query}`, {}, isProblem(400, 'malformed-query'), detailNames(name)),
      read(`versions?${query}`, `GET ${ORDERS}/{{o1}}/versions?${query}`, {}, isProblem(400, 'malformed-query'), detailNames(name)),
    ]),
    anOrder('named', { ...content, customer_id: 'e-{{run}}', external_id: 'PO-{{run}}' }),
    anOrder('namesake', { ...content, customer_id: 'f-{{run}}', external_id: 'PO-{{run}}' }),
    read('by external id', `GET ${ORDERS}?external_id=PO-{{run}}`, {}, orderPage(['namesake', 'named'], false)),
    read('by external id and customer', `GET ${ORDERS}?external_id=PO-{{run}}&customer_id=e-{{run}}`, {}, orderPage(['named'], false)),
    patch('an order with another external id', `${ORDERS}/{{named}}`, { body: { version: 1, external_id: 'PP-{{run}}' } }, isUpdated(2)),
    read('by the external id that it has', `GET ${ORDERS}?external_id=PP-{{run}}`, {}, orderPage(['named'], false)),
    patch('an order without an external id', `${ORDERS}/{{named}}`, { body: { version: 2, external_id: null } }, isUpdated(3)),
    read('by an external id that no order has', `GET ${ORDERS}?external_id=PP-{{run}}`, {}, orderPage([], false)),
    write('confirmed', `POST ${ORDERS}/{{namesake}}/status`, { body: { version: 1, status: 'confirmed' } }, isUpdated(2)),
    read('by status', `GET ${ORDERS}?external_id=PO-{{run}}&status=confirmed`, {}, orderPage(['namesake'], false)),
    read('by another status', `GET ${ORDERS}?external_id=PO-{{run}}&status=new`, {}, orderPage([], false)),
    read('the newest of all', `GET ${ORDERS}?limit=2`, {}, orderPage(['namesake', 'named'], true)),
    read('the next of all', `GET ${ORDERS}?limit=1&cursor={{cursor}}`, {}, status(200)),
    read('all of a time', `GET ${ORDERS}?created_after=2000-01-01T00:00:00Z&created_before=2000-01-02T00:00:00.123%2B01:00`, {}, orderPage([], false)),
    read('all since a time', `GET ${ORDERS}?created_after=2000-01-01T00:00:00Z&limit=1`, {}, orderPage(['namesake'], true)),
    read('an empty external id', `GET ${ORDERS}?external_id=`, {}, isProblem(400, 'malformed-query'), detailNames('external_id')),
    read('an external id with a line break', `GET ${ORDERS}?external_id=a%0A`, {}, isProblem(400, 'malformed-query'), detailNames('external_id')),
    read('a status that there is not', `GET ${ORDERS}?status=paid`, {}, isProblem(400, 'malformed-query'), detailNames('status')),
    read('a time without its zone', `GET ${ORDERS}?created_after=2026-11-22T10:00:00`, {}, isProblem(400, 'malformed-query'), detailNames('created_after')),
    read('a time that is none', `GET ${ORDERS}?created_before=noon`, {}, isProblem(400, 'malformed-query'), detailNames('created_before')),
    read('an empty customer', `GET ${ORDERS}?customer_id=`, {}, isProblem(400, 'malformed-query'), detailNames('customer_id')),
    read('a customer with U+0000', `GET ${ORDERS}?customer_id=c%00`, {}, isProblem(400, 'malformed-query'), detailNames('customer_id')),
    read('a customer of 129 characters', `GET ${ORDERS}?customer_id=${'c'.repeat(129)}`, {}, isProblem(400, 'malformed-query'),
      detailNames('customer_id')),
    read('an unknown parameter of an order', `GET ${ORDERS}/{{o1}}?colour=red`, {}, isProblem(400, 'malformed-query'), detailNames('colour')),
    read('an unknown parameter of a version', `GET ${ORDERS}/{{o1}}/versions/1?colour=red`, {}, isProblem(400, 'malformed-query'),
      detailNames('colour')),
    write('an unknown parameter of a create', `POST ${ORDERS}?dry_run=true`, { key: 'dry-run', body: content },
      isProblem(400, 'malformed-query'), detailNames('dry_run')),
    read('which has not executed it', `GET /api/v1/messages/${guid('dry-run')}`, {}, isProblem(404, 'message-not-found')),
    read('a parameter given twice', `GET ${ORDERS}?customer_id=c&limit=1&limit=1`, {}, isProblem(400, 'malformed-query'),
      detailNames('limit')),
    read('an unknown parameter of a message', `GET /api/v1/messages/${guid('x')}?colour=red`, {}, isProblem(400, 'malformed-query'),
      detailNames('colour')),
  ],
);

const headPair = (name, target, ...checks) => [
  read(`GET ${name}`, `GET ${target}`, {}, ...checks, keep('get')),
  read(`HEAD ${name}`, `HEAD ${target}`, {}, isHeadOf('get')),
];
const heads = folder(
  'HEAD',
  'As GET, without the body.',
  [
    write('an order', `POST ${ORDERS}`, { key: 'create', body: content }, isCreated(), save('order', 'order.order_id')),
    headPair('order', `${ORDERS}/{{order}}`, isOrder(1)),
    headPair('version', `${ORDERS}/{{order}}/versions/1`, isOrder(1)),
    headPair('versions', `${ORDERS}/{{order}}/versions`, status(200)),
    headPair('orders of a customer', `${ORDERS}?customer_id=c-{{run}}`, status(200)),
    headPair('message', `/api/v1/messages/${guid('create')}`, status(200)),
    headPair('changes', '/api/v1/changes?after=0&limit=2', status(200)),
    headPair('ping', '/-/ping', status(200)),
    headPair('live', '/-/live', status(200)),
    headPair('ready', '/-/ready', status(200)),
    headPair('ready for reads', '/-/ready/reads', status(200)),
    headPair('position', '/-/position', status(200)),
    headPair('back-up', '/-/backup', status(200)),
    headPair('state', '/-/state', status(200)),
    headPair('settings', '/-/settings', status(200)),
    headPair('console', '/console/', status(200)),
    headPair('file of the console', '/console/app.js', status(200)),
    headPair('unknown file of the console', '/console/nothing.js', isProblem(404, 'not-found')),
    headPair('OpenAPI', '/openapi.yaml', status(200)),
    headPair('OpenAPI as JSON', '/openapi.json', status(200)),
    headPair('problems', '/problems/', status(200)),
    headPair('problem', '/problems/stale-version', status(200)),
    // The text of the metrics changes from one request to the next.
    read('HEAD metrics', 'HEAD /metrics', {}, status(200), headerHas('Content-Type', 'text/plain'), empty),
    read('HEAD with If-None-Match', `HEAD ${ORDERS}/{{order}}`, { headers: [['If-None-Match', '"1"']] }, status(304), etag(1), empty),
    headPair('unknown order', `${ORDERS}/${UNKNOWN}`, isProblem(404, 'order-not-found')),
    headPair('unknown version', `${ORDERS}/{{order}}/versions/9`, isProblem(404, 'version-not-found')),
    headPair('versions of an unknown order', `${ORDERS}/${UNKNOWN}/versions`, isProblem(404, 'order-not-found')),
    headPair('unknown message', `/api/v1/messages/${guid('unknown')}`, isProblem(404, 'message-not-found')),
    headPair('unknown problem', '/problems/nothing', isProblem(404, 'not-found')),
    headPair('unknown path', '/api/v1/nothing', isProblem(404, 'not-found')),
    headPair('order, malformed query', `${ORDERS}/{{order}}?colour=red`, isProblem(400, 'malformed-query')),
    ...['/-/position', '/-/backup', '/-/state', '/-/settings', '/console/', '/console/app.js', '/-/ping', '/-/live', '/-/ready', '/metrics', '/openapi.yaml', '/openapi.json', '/problems/', '/problems/stale-version'].map((path) =>
      headPair(`${path}, malformed query`, `${path}?colour=red`, isProblem(400, 'malformed-query'))).flat(),
    headPair('orders, malformed query', `${ORDERS}?status=paid`, isProblem(400, 'malformed-query')),
    headPair('versions, malformed query', `${ORDERS}/{{order}}/versions?limit=0`, isProblem(400, 'malformed-query')),
    headPair('version, malformed query', `${ORDERS}/{{order}}/versions/1?colour=red`, isProblem(400, 'malformed-query')),
    headPair('changes, malformed query', '/api/v1/changes?after=x', isProblem(400, 'malformed-query')),
    headPair('message, malformed query', `/api/v1/messages/${guid('create')}?colour=red`, isProblem(400, 'malformed-query')),
  ].flat(),
);

const allow = (methods) => [
  ...isProblem(405, 'method-not-allowed'),
  ...check(`Allow is ${methods}`,
    "pm.expect(pm.response.headers.get('Allow').split(',').map((m) => m.trim())).to.have.members(" + `${text(methods.split(', '))});`),
];
const paths = folder(
  'Paths and methods',
  'Unknown paths (404), wrong methods (405 with Allow), requests that HTTP itself refuses (400, 431).',
  [
    anOrder('order'),
    ...['/', '/api/v1', '/api/v1/nothing', '/api/v2/orders', `${ORDERS}/{{order}}/nothing`, `${ORDERS}/{{order}}/versions/1/nothing`,
      '/-/nothing', '/api/v1/messages'].map((path) => read(`404 ${path}`, `GET ${path}`, {}, isProblem(404, 'not-found'), noHeader('Allow'))),
    write('404 for a write', 'POST /api/v1/nothing', { body: content }, isProblem(404, 'not-found')),
    ...[
      [ORDERS, 'GET, HEAD, POST', ['PUT', 'PATCH', 'DELETE', 'OPTIONS']],
      [`${ORDERS}/{{order}}`, 'GET, HEAD, PUT, PATCH', ['POST', 'DELETE']],
      [`${ORDERS}/{{order}}/status`, 'POST', ['GET', 'HEAD', 'PUT', 'DELETE']],
      [`${ORDERS}/{{order}}/versions`, 'GET, HEAD', ['POST', 'DELETE']],
      [`${ORDERS}/{{order}}/versions/1`, 'GET, HEAD', ['PUT', 'DELETE']],
      [`/api/v1/messages/${guid('x')}`, 'GET, HEAD', ['POST', 'DELETE']],
      ['/api/v1/changes', 'GET, HEAD', ['POST', 'DELETE']],
      ['/-/ping', 'GET, HEAD', ['POST']],
      ['/-/live', 'GET, HEAD', ['POST']],
      ['/-/ready', 'GET, HEAD', ['POST']],
      ['/-/ready/reads', 'GET, HEAD', ['POST']],
      ['/-/position', 'GET, HEAD', ['POST']],
      ['/-/backup', 'GET, HEAD, POST', ['PUT', 'DELETE']],
      ['/-/state', 'GET, HEAD', ['POST']],
      ['/-/settings', 'GET, HEAD', ['POST']],
      ['/console/', 'GET, HEAD', ['POST']],
      ['/console/app.js', 'GET, HEAD', ['PUT']],
      ['/metrics', 'GET, HEAD', ['POST']],
      ['/openapi.yaml', 'GET, HEAD', ['PUT']],
      ['/openapi.json', 'GET, HEAD', ['PUT']],
      ['/problems/', 'GET, HEAD', ['POST']],
      ['/problems/not-found', 'GET, HEAD', ['DELETE']],
    ].flatMap(([path, methods, wrong]) =>
      wrong.map((method) => read(`405 ${method} ${path}`, `${method} ${path}`, {},
        method === 'HEAD' ? [...status(405), ...header('Allow', methods), ...empty] : allow(methods)))),
    read('405 for an order that is unknown', `DELETE ${ORDERS}/${UNKNOWN}`, {}, allow('GET, HEAD, PUT, PATCH')),
    read('400 for a broken percent-encoding in the path', `GET ${ORDERS}/%zz`, {}, isProblem(400, 'malformed-request'),
      noHeader('Connection')),
    read('400 for a broken percent-encoding in the query', `GET ${ORDERS}?customer_id=%e`, {}, isProblem(400, 'malformed-request')),
    read('431 for headers over 16 KiB', `GET ${ORDERS}/{{order}}`, { headers: [['X-Filler', '{{large}}']], before: ["pm.variables.set('large', 'x'.repeat(17 * 1024));"] },
      isProblem(431, 'headers-too-large'), header('Connection', 'close')),
    write('431 for a write', `POST ${ORDERS}`,
      { headers: [['X-Filler', '{{large}}']], body: content, before: ["pm.variables.set('large', 'x'.repeat(17 * 1024));"] },
      isProblem(431, 'headers-too-large')),
    read('the server goes on', `GET ${ORDERS}/{{order}}`, {}, isOrder(1)),
  ],
);

// Returns a key that is unique to the run, with a hyphen appended if base64url has no text of its length.
const captureKey = (name) => {
  const rest = `-${name}`;
  return `{{run}}${rest}${(36 + rest.length) % 4 === 1 ? '-' : ''}`;
};
const cookies = [
  { key: 'Content-Type', value: 'application/json; charset=utf-8' },
  { key: 'Set-Cookie', value: ['session=abc; Path=/', 'theme=dark'] },
  { key: 'x-b', value: '1' }, { key: 'X-A', value: '2' }, { key: 'x-b', value: '' }, { key: 'X-List', value: ['one'] }, { key: 'X-None', value: [] },
];
const captured = { response_status: 201, response_body: '{"id":"17","name":"\u65e5\u672c \ud83d\ude80\\u0000"}\u0000', response_headers: cookies };
const NOT_OPEN = 'Capture has been completed or has not been allocated';
const NOT_ALLOCATED = 'Capture has not been allocated';
const MALFORMED_PAYLOAD = 'Malformed payload';
const MALFORMED_KEY = 'Malformed idempotency key. Use URL safe base64 encoding without padding';
const allocate = (name, key, ...checks) => call(name, `PUT ${CAPTURES}`, { body: { idempotency_key: key } }, ...checks);
const record = (name, key, response, ...checks) => call(name, `POST ${CAPTURES}`, { body: { idempotency_key: key, response } }, ...checks);
const release = (name, key, ...checks) => read(name, `DELETE ${CAPTURES}/${key}`, {}, ...checks);
const isCompleted = (key, response) => [...status(200), ...header('Content-Type', 'application/json'), ...bodyIs({ idempotency_key: key, response })];
const malformedPayloads = [
  ['nothing', ''],
  ['an object without its end', '{"idempotency_key":"abcd"'],
  ['two values', '{"idempotency_key":"abcd"} {}'],
  ['a form', 'idempotency_key=abcd'],
  ['an array', '[]'],
  ['a string', '"abcd"'],
  ['a key that is a number', '{"idempotency_key":5}'],
  ['a key that is a list', '{"idempotency_key":["abcd"]}'],
  ['half a surrogate pair', '{"idempotency_key":"abcd","x":"\\ud800"}'],
  ['nested 65 deep', `{"idempotency_key":"abcd","x":${'['.repeat(64)}${']'.repeat(64)}}`],
];
const malformedCaptureKeys = [['empty', ''], ['padded', 'QQ=='], ['a length that no text has', 'abcde'], ['a space', 'ab c'], ['standard base64', 'ab+/'],
  ['beyond ASCII', 'ab\u00e9'], ['1028 characters', 'a'.repeat(1028)]];
const malformedResponses = [
  ['null', null], ['a string', '200'], ['a list', []], ['without a status', { response_body: '' }],
  ['status a string', { response_status: '200' }], ['status not whole', { response_status: 200.5 }],
  ['status 99', { response_status: 99 }], ['status 1000', { response_status: 1000 }],
  ['body a number', { response_status: 200, response_body: 5 }],
  ['headers a string', { response_status: 200, response_headers: 'X: 1' }],
  ['headers an object that is not empty', { response_status: 200, response_headers: { X: '1' } }],
  ['a header a string', { response_status: 200, response_headers: ['X: 1'] }],
  ['a list of values with null', { response_status: 200, response_headers: [{ key: 'X', value: ['1', null] }] }],
  ['a line end in a header\'s key', { response_status: 200, response_headers: [{ key: 'X\r\nY', value: '1' }] }],
  ['a line end in a header\'s value', { response_status: 200, response_headers: [{ key: 'X', value: '1\n' }] }],
  ['U+0000 in a header\'s key', { response_status: 200, response_headers: [{ key: 'X\u0000', value: '1' }] }],
  ['U+0000 in a header\'s value', { response_status: 200, response_headers: [{ key: 'X', value: ['\u0000'] }] }],
];
const sized = (bytes) => [`pm.variables.set('large', 'x'.repeat(${bytes}));`];
const captures = folder(
  'Captures',
  'The interface of checkr/idempotent-requests: allocate, record, replay, give up; and what is refused.',
  [
    allocate('allocate', captureKey('smoke-test'), isEmpty(202)),
    allocate('allocate again', captureKey('smoke-test'), isEmpty(409)),
    record('record', captureKey('smoke-test'), captured, isEmpty(200)),
    allocate('replay', captureKey('smoke-test'), isCompleted(captureKey('smoke-test'), captured), keep('record')),
    allocate('replay again, byte for byte', captureKey('smoke-test'),
      check('same body', "pm.expect(pm.response.text()).to.eql(JSON.parse(pm.collectionVariables.get('answer_record')).body);")),
    record('record again', captureKey('smoke-test'), { response_status: 200 }, isError(403, NOT_OPEN)),
    release('give up a record', captureKey('smoke-test'), isError(403, NOT_OPEN)),
    allocate('the first record stands', captureKey('smoke-test'), isCompleted(captureKey('smoke-test'), captured)),

    record('record what was not allocated', captureKey('unknown'), captured, isError(403, NOT_OPEN)),
    release('give up what was not allocated', captureKey('unknown'), isError(404, NOT_ALLOCATED)),
    allocate('allocate to give up', captureKey('release'), isEmpty(202)),
    release('give up', captureKey('release'), isEmpty(204)),
    release('give up again', captureKey('release'), isError(404, NOT_ALLOCATED)),
    record('record what was given up', captureKey('release'), captured, isError(403, NOT_OPEN)),
    allocate('allocate anew', captureKey('release'), isEmpty(202)),
    release('give up, percent-encoded', captureKey('release').replace('release', '%72elease'), isEmpty(204)),

    ...[['no headers', { response_status: 204, response_body: '', response_headers: [] }],
      ['an empty object for headers', { response_status: 200, response_headers: {} }],
      ['null for headers', { response_status: 999, response_headers: null }],
      ['only a status', { response_status: 100 }],
      ['numbers and booleans as values', { response_status: 200, response_headers: [{ key: 'Content-Length', value: 42 }, { key: 'X', value: true }] }],
      ['other members', { response_status: 200, colour: ['red'], response_headers: [{ key: 'X', value: '1', colour: 'red' }] }],
    ].flatMap(([name, response], i) => [
      allocate(`${name}: allocate`, captureKey(`short-${i}`), isEmpty(202)),
      call(`${name}: record`, `POST ${CAPTURES}`, { body: { colour: 'red', idempotency_key: captureKey(`short-${i}`), response } }, isEmpty(200)),
      allocate(`${name}: replay`, captureKey(`short-${i}`), isCompleted(captureKey(`short-${i}`), {
        response_status: response.response_status, response_body: '',
        response_headers: (Array.isArray(response.response_headers) ? response.response_headers : []).map(({ key, value }) => ({ key, value: String(value) })),
      })),
    ]),

    ...['application/json', 'application/octet-stream', 'text/html'].map((type, i) =>
      call(`any Content-Type: ${type}`, `PUT ${CAPTURES}`, { type, body: { idempotency_key: captureKey(`type-${i}`) } }, isEmpty(202))),
    ...['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'].flatMap((type) => ['PUT', 'POST'].map((method) =>
      call(`a Content-Type of forms: ${method} ${type}`, `${method} ${CAPTURES}`, { type, body: { idempotency_key: captureKey('form') } },
        isError(415)))),
    call('a Content-Type of forms: DELETE', `DELETE ${CAPTURES}/${captureKey('form')}`, { type: 'text/plain', body: 'x' }, isError(415)),
    ...malformedPayloads.flatMap(([name, body]) => ['PUT', 'POST'].map((method) =>
      call(`400 ${method}: ${name}`, `${method} ${CAPTURES}`, { body }, isError(400, MALFORMED_PAYLOAD)))),
    ...malformedCaptureKeys.flatMap(([name, key]) => [
      allocate(`422 PUT: ${name}`, key, isError(422, MALFORMED_KEY)),
      record(`422 POST: ${name}`, key, captured, isError(422, MALFORMED_KEY)),
    ]),
    call('422 PUT: no key', `PUT ${CAPTURES}`, { body: {} }, isError(422, MALFORMED_KEY)),
    call('422 POST: no key', `POST ${CAPTURES}`, { body: { response: captured } }, isError(422, MALFORMED_KEY)),
    release('422 DELETE: padded', 'QQ==', isError(422, MALFORMED_KEY)),
    release('422 DELETE: a slash', 'ab%2F_', isError(422, MALFORMED_KEY)),
    allocate('a key of 1024 characters', '{{run}}'.padEnd(7 + 1024 - 36, 'a'), isEmpty(202)),

    allocate('400 POST: allocate', captureKey('bad'), isEmpty(202)),
    call('400 POST: no response', `POST ${CAPTURES}`, { body: { idempotency_key: captureKey('bad') } }, isError(400, MALFORMED_PAYLOAD)),
    ...malformedResponses.map(([name, response]) => record(`400 POST: response ${name}`, captureKey('bad'), response, isError(400, MALFORMED_PAYLOAD))),
    allocate('after all of them it is still allocated', captureKey('bad'), isEmpty(409)),
    record('and can be recorded to', captureKey('bad'), captured, isEmpty(200)),
    record('the key is checked before the response', 'a', null, isError(422, MALFORMED_KEY)),

    ...['PUT', 'POST'].map((method) =>
      call(`415: coded, ${method}`, `${method} ${CAPTURES}`, { headers: [['Content-Encoding', 'gzip']], body: { idempotency_key: captureKey('coded') } },
        isError(415), header('Accept-Encoding', 'identity'))),

    allocate('413: allocate', captureKey('large'), isEmpty(202)),
    ...[['body', { response_status: 200, response_body: '{{large}}' }], ['header', { response_status: 200, response_headers: [{ key: 'X', value: ['{{large}}'] }] }]]
      .map(([name, response]) => call(`413: a ${name} over 1 MiB`, `POST ${CAPTURES}`,
        { body: { idempotency_key: captureKey('large'), response }, before: sized(1024 * 1024 + (name === 'body' ? 1 : 0)) }, isError(413), noHeader('Connection'))),
    call('413: before it is known whether the key was allocated', `POST ${CAPTURES}`,
      { body: { idempotency_key: captureKey('unknown'), response: { response_status: 200, response_body: '{{large}}' } }, before: sized(1024 * 1024 + 1) }, isError(413)),
    allocate('413: it is still allocated', captureKey('large'), isEmpty(409)),
    call('exactly 1 MiB, of characters that JSON writes as six', `POST ${CAPTURES}`,
      { body: `{"idempotency_key":"${captureKey('large')}","response":{"response_status":200,"response_body":"{{large}}"}}`,
        before: ["pm.variables.set('large', '\\\\u0001'.repeat(1024 * 1024));"] }, isEmpty(200)),
    allocate('which is given back', captureKey('large'), status(200),
      check('1 MiB', "pm.expect(pm.response.json().response.response_body).to.eql('\\u0001'.repeat(1024 * 1024));")),

    call('an order under the key of a capture', `POST ${ORDERS}`,
      { type: 'application/json', body: { guid: captureKey('smoke-test'), ...content } }, isCreated(), executed),
    allocate('and the capture as before', captureKey('smoke-test'), isCompleted(captureKey('smoke-test'), captured)),
    call('an order', `POST ${ORDERS}`, { type: 'application/json', body: { guid: captureKey('order'), ...content } }, isCreated()),
    allocate('a capture under its GUID', captureKey('order'), isEmpty(202)),
    ...[`PUT ${CAPTURES}?x=1`, `POST ${CAPTURES}?x=1`, `DELETE ${CAPTURES}/${captureKey('smoke-test')}?x=1`].map((target) =>
      call(`400 for a query: ${target.split(' ')[0]}`, target, { body: '' }, isError(400, "'x' is not a parameter of this call"))),
    read('400 for a broken percent-encoding', `DELETE ${CAPTURES}/%zz`, {}, isProblem(400, 'malformed-request'), noHeader('Connection')),
    ...['GET', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS'].map((method) => wrongMethod(method, CAPTURES, 'POST, PUT')),
    ...['GET', 'HEAD'].flatMap((method) => [
      read(`${method}: a recorded capture`, `${method} ${CAPTURES}/${captureKey('smoke-test')}`, {}, status(200)),
      read(`${method}: an unknown key`, `${method} ${CAPTURES}/${captureKey('unknown')}`, {}, status(404)),
      read(`${method}: a malformed key`, `${method} ${CAPTURES}/a.b`, {}, status(422)),
      read(`${method}: a query`, `${method} ${CAPTURES}/${captureKey('smoke-test')}?x=1`, {}, status(400)),
    ]),
    allocate('allocate to look at', captureKey('look'), isEmpty(202)),
    read('look at it', `GET ${CAPTURES}/${captureKey('look')}`, {}, status(200), bodyHas({ state: 'allocated', response: null })),
    allocate('which has allocated nothing', captureKey('look'), isEmpty(409)),
    ...['PUT', 'POST', 'PATCH'].map((method) => wrongMethod(method, `${CAPTURES}/${captureKey('smoke-test')}`, 'DELETE, GET, HEAD')),
    ...['/api/v2', '/api/v2/nothing', `${CAPTURES}/a/b`].map((path) =>
      call(`404 ${path}`, `PUT ${path}`, { body: { idempotency_key: captureKey('smoke-test') } }, isProblem(404, 'not-found'))),
  ],
);
function wrongMethod(method, path, methods) {
  const outcome = method === 'HEAD' ? [...status(405), ...empty] : isError(405, 'Method not allowed');
  return read(`405 ${method} ${path}`, `${method} ${path}`, {}, outcome, header('Allow', methods));
}

const NDJSON = 'application/x-ndjson';
const batchLine = (key, order = content) => text({ idempotency_key: guid(key), order });
const batchTo = (path) => (name, lines, ...checks) =>
  write(name, `POST ${path}`, { key: null, type: NDJSON, body: lines.join('\n') }, status(200), header('Content-Type', NDJSON), ...checks);
const batch = batchTo(`${ORDERS}/batch`);
const verdicts = "const verdicts = pm.response.text().split('\\n').filter((line) => line !== '').map((line) => JSON.parse(line));";
const haveStatus = (...codes) =>
  check(`verdicts ${codes.join(', ')}`, verdicts, `pm.expect(verdicts.map((verdict) => verdict.status)).to.eql(${text(codes)});`);
const haveProblems = (...slugs) =>
  check(`problems ${slugs.join(', ')}`, verdicts,
    'const problems = verdicts.filter((verdict) => verdict.problem).map(({ problem }) => problem.type);',
    `pm.expect(problems).to.eql(${text(slugs.map((slug) => `/problems/${slug}`))});`);
const batches = folder(
  'Batches',
  'Many creates in one request: a verdict for each line, in the order of the lines.',
  [
    write('an order by itself', `POST ${ORDERS}`, { key: 'alone', body: content }, isCreated(), save('order', 'order.order_id')),
    batch('two orders, and that one again', [batchLine('one'), batchLine('two'), batchLine('alone')], haveStatus(201, 201, 201),
      check('the last is a replay of the create', verdicts,
        'pm.expect(verdicts.map((verdict) => verdict.replayed)).to.eql([false, false, true]);',
        "pm.expect(verdicts[2].order.order_id).to.eql(pm.collectionVariables.get('order'));"),
      ["pm.collectionVariables.set('first', JSON.parse(pm.response.text().split('\\n')[0]).order.order_id);"]),
    write('the first of them by itself', `POST ${ORDERS}`, { key: 'one', body: content }, status(201), header('Idempotency-Replayed', 'true'),
      check('is the order of the batch', "pm.expect(pm.response.json().order.order_id).to.eql(pm.collectionVariables.get('first'));")),
    read('the first of them', `GET ${ORDERS}/{{first}}`, {}, isOrder(1)),
    write('bad lines among good ones', `POST ${ORDERS}/batch`, {
      key: null,
      type: NDJSON,
      body: [batchLine('three'), 'no json', '{}', '{"idempotency_key":"a b","order":{}}', batchLine('x', { ...content, guid: 'y' }),
        batchLine('y', { ...content, currency: 'eur' }), batchLine('one', { ...content, currency: 'USD' }), '{{long}}', '', batchLine('four')].join('\r\n'),
      before: ["pm.variables.set('long', 'x'.repeat(1048577));"],
    }, haveStatus(201, 400, 400, 400, 400, 422, 422, 413, 201),
    haveProblems('malformed-json', 'guid-missing', 'guid-malformed', 'guid-mismatch', 'invalid-order', 'guid-reused', 'body-too-large')),
    batch('a guid twice', [batchLine('five'), batchLine('five')], haveStatus(201, 201),
      check('is one order', verdicts, 'pm.expect(verdicts[0].order).to.eql(verdicts[1].order);')),
    batch('no line', ['', ''], check('no verdict', "pm.expect(pm.response.text() || '').to.eql('');")),
    write('a batch with a query', `POST ${ORDERS}/batch?atomic=true`, { key: null, type: NDJSON, body: batchLine('query') },
      isProblem(400, 'malformed-query'), detailNames('atomic')),
    ...anyBatch(`${ORDERS}/batch`, (key) => batchLine(key)),
  ],
);

const commandLine = (op, key, members) => text({ op, idempotency_key: guid(key), ...members });
const updateLine = (op, key, version, members) => commandLine(op, key, { order_id: '{{order}}', version, ...members });
const commandBatch = batchTo(COMMANDS);
const commandBatches = folder(
  'Batches of every kind of write',
  'Creates and updates in one request; lines about one order are executed in their order.',
  [
    anOrder('order'),
    commandBatch('each kind, on one order', [
      commandLine('create', 'c-create', { order: content }), updateLine('replace', 'c-replace', 1, { order: { ...content, currency: 'USD' } }),
      updateLine('merge', 'c-merge', 2, { order: { attributes: null } }), updateLine('status', 'c-status', 3, { status: 'shipped' }),
      updateLine('status', 'c-confirmed', 3, { status: 'confirmed' }), updateLine('merge', 'c-stale', 3, { order: { currency: 'GBP' } }),
      updateLine('status', 'c-cancelled', 4, { status: 'cancelled' }), updateLine('merge', 'c-closed', 5, { order: { currency: 'GBP' } }),
    ], haveStatus(201, 200, 200, 409, 200, 409, 200, 409), haveProblems('status-not-allowed', 'stale-version', 'order-closed'),
    check('the versions ascend', verdicts,
      'const versions = verdicts.slice(1).filter(({ order }) => order).map(({ order }) => order.version);',
      'pm.expect(versions).to.eql([2, 3, 4, 5]);')),
    write('an update of the batch by itself', `PATCH ${ORDERS}/{{order}}`, { key: 'c-merge', type: MERGE, body: { attributes: null, version: 2 } },
      status(200), header('Idempotency-Replayed', 'true')),
    commandBatch('repeats are replays', [
      updateLine('merge', 'c-merge', 2, { order: { attributes: null } }), updateLine('merge', 'c-stale', 3, { order: { currency: 'GBP' } }),
    ], haveStatus(200, 409), check('both', verdicts, 'pm.expect(verdicts.map(({ replayed }) => replayed)).to.eql([true, true]);')),
    anOrder('merging'),
    commandBatch('merges', [
      commandLine('merge', 'm-1', { order_id: '{{merging}}', version: 1, order: { currency: 'USD' } }),
      commandLine('merge', 'm-2', { order_id: '{{merging}}', version: 1, on_conflict: 'merge', order: { attributes: { line: 1 } } }),
      commandLine('replace', 'm-3', { order_id: '{{merging}}', version: 1, order: { ...content, currency: 'CHF', on_conflict: 'merge' } }),
    ], haveStatus(200, 200, 409), haveProblems('stale-version'),
    check('what clashes', verdicts, "pm.expect(verdicts[2].problem.conflicts).to.eql([{ pointer: '/currency' }]);")),
    commandBatch('bad lines', [
      text({ idempotency_key: guid('c-1'), order: content }), commandLine('merge', 'c-2', { order_id: '{{order}}', order: {} }),
      updateLine('merge', 'c-3', 5, { order: { version: 4 } }), commandLine('merge', 'c-4', { order_id: 'none', version: 1, order: {} }),
      updateLine('replace', 'c-5', 5, { order: {} }),
    ], haveStatus(422, 428, 400, 404, 422), haveProblems('invalid-order', 'version-required', 'version-mismatch', 'order-not-found', 'invalid-order')),
    ...anyBatch(COMMANDS, (key) => commandLine('create', key, { order: content })),
  ],
);
// What the two kinds of batches have in common.
function anyBatch(path, line) {
  const keyless = text({ ...JSON.parse(line('keyless')), idempotency_key: undefined });
  return [
    write('a line without a key', `POST ${path}`, { key: null, type: NDJSON, body: keyless }, status(200), haveStatus(400), haveProblems('guid-missing'),
      check('says what to do', verdicts, "pm.expect(verdicts[0].problem.detail).to.include('?keys=generated');")),
    write('generated keys', `POST ${path}?keys=generated`, { key: null, type: NDJSON, body: `${keyless}\n${keyless}` }, status(200), haveStatus(201, 201),
      check('differ', verdicts, 'pm.expect(verdicts[0].idempotency_key).to.not.eql(verdicts[1].idempotency_key);')),
    write('no other keys', `POST ${path}?keys=none`, { key: null, type: NDJSON, body: keyless }, isProblem(400, 'malformed-query'), detailNames('keys')),
    write('an array', `POST ${path}`, { key: null, type: NDJSON, body: `[${line('array')}]` }, isProblem(400, 'not-ndjson')),
    write('blank lines', `POST ${path}`, { key: null, type: NDJSON, body: `\ufeff\n  \n${line(`blank-${path}`)}\n\t\n` }, status(200), haveStatus(201)),
    write('a batch as one JSON document', `POST ${path}`, { key: null, body: [content] }, isProblem(415, 'unsupported-media-type')),
    read('there is nothing to read', `GET ${path}`, {}, isProblem(405, 'method-not-allowed'), header('Allow', 'POST')),
  ];
}

const badKey = { key: null, headers: [['Idempotency-Key', '']] };
const checkOrder = folder(
  'Order of checks',
  'A request with two faults gets the answer to the first one in the documented order.',
  [
    write('an order', `POST ${ORDERS}`, { key: 'used', body: content }, isCreated(), save('order', 'order.order_id')),
    write('path before method', 'DELETE /api/v1/nothing', { body: content }, isProblem(404, 'not-found')),
    write('method before size', `DELETE ${ORDERS}`, { type: 'text/plain', body: 'x' }, isProblem(405, 'method-not-allowed')),
    write('size before content type', `POST ${ORDERS}`,
      { type: 'text/plain', body: '{{large}}', before: ["pm.variables.set('large', 'x'.repeat(1048577));"] }, isProblem(413, 'body-too-large')),
    write('content type before GUID', `POST ${ORDERS}`, { ...badKey, type: 'text/plain', body: content }, isProblem(415, 'unsupported-media-type')),
    write('malformed header before JSON', `POST ${ORDERS}`, { ...badKey, body: '{' }, isProblem(400, 'guid-malformed')),
    write('JSON before a missing GUID', `POST ${ORDERS}`, { key: null, body: '{' }, isProblem(400, 'malformed-json')),
    write('missing GUID before members', `POST ${ORDERS}`, { key: null, body: { colour: 'red' } }, isProblem(400, 'guid-missing')),
    write('disagreeing GUIDs before members', `POST ${ORDERS}`, { key: 'a', body: { guid: guid('b'), colour: 'red' } },
      isProblem(400, 'guid-mismatch')),
    write('members before a missing version', `PUT ${ORDERS}/{{order}}`, { body: { ...content, currency: 'eur' } }, isInvalid('/currency')),
    write('members before disagreeing versions', `PUT ${ORDERS}/{{order}}`,
      { headers: ifMatch('"1"'), body: { ...content, version: 2, currency: 'eur' } }, isInvalid('/currency')),
    write('members before dedupe', `POST ${ORDERS}`, { key: 'used', body: { ...content, currency: 'eur' } }, isInvalid('/currency')),
    write('missing version before dedupe', `PUT ${ORDERS}/{{order}}`, { key: 'used', body: content }, isProblem(428, 'version-required')),
    write('missing version before an unknown order', `PUT ${ORDERS}/${UNKNOWN}`, { body: content }, isProblem(428, 'version-required')),
    write('malformed If-Match before an unknown order', `PUT ${ORDERS}/${UNKNOWN}`, { headers: ifMatch('*'), body: content },
      isProblem(400, 'version-malformed')),
    write('members before an unknown order', `PUT ${ORDERS}/${UNKNOWN}`, { body: { version: 1 } },
      isInvalid('/customer_id', '/currency', '/items')),
    write('dedupe before an unknown order', `PUT ${ORDERS}/${UNKNOWN}`, { key: 'used', body: { version: 1, ...content } },
      isProblem(422, 'guid-reused')),
    write('dedupe before a stale version', `PUT ${ORDERS}/{{order}}`, { key: 'used', body: { version: 9, ...content } },
      isProblem(422, 'guid-reused')),
    move('cancel', 'order', 'cancelled', 1, isUpdated(2)),
    patch('stale before closed', `${ORDERS}/{{order}}`, { body: { version: 1, attributes: { a: 1 } } }, isStale(409, 2, 1)),
    patch('closed before a merged result', `${ORDERS}/{{order}}`, { body: { version: 2, attributes: { a: 1 } } },
      isProblem(409, 'order-closed', { code: 3045 })),
  ],
);

// The writes of the interface, and some reads, as [name, target, what to send].
const anyWrite = [
  ['create', `POST ${ORDERS}`, { body: content }],
  ['replace', `PUT ${ORDERS}/${UNKNOWN}`, { body: { version: 1, ...content } }],
  ['merge', `PATCH ${ORDERS}/${UNKNOWN}`, { type: MERGE, body: { version: 1, currency: 'USD' } }],
  ['status', `POST ${ORDERS}/${UNKNOWN}/status`, { body: { version: 1, status: 'confirmed' } }],
  ['batch', `POST ${ORDERS}/batch`, { key: null, type: NDJSON, body: '' }],
  ['batch of commands', `POST ${COMMANDS}`, { key: null, type: NDJSON, body: '' }],
];
const anyCapture = [
  ['allocate', `PUT ${CAPTURES}`, { body: { idempotency_key: captureKey('page') } }],
  ['record', `POST ${CAPTURES}`, { body: { idempotency_key: captureKey('page'), response: captured } }],
  ['release', `DELETE ${CAPTURES}/${captureKey('page')}`, {}],
];
const anyRead = [
  ORDERS, `${ORDERS}/${UNKNOWN}`, `${ORDERS}/${UNKNOWN}/versions`, `${ORDERS}/${UNKNOWN}/versions/1`, '/api/v1/messages/g', '/api/v1/changes', '/-/position', '/-/backup', '/-/state', '/-/settings', '/metrics',
].flatMap((path) => ['GET', 'HEAD'].map((method) => `${method} ${path}`));
const foreignHost = [['Host', 'orders.evil.example']];
const webPages = folder(
  'Web pages of other origins',
  'What a browser sends for a page of another origin, or to a name that leads here by the DNS of an attacker.',
  [
    ...[['Origin', 'null'], ['Sec-Fetch-Site', 'cross-site'], ['Sec-Fetch-Site', 'same-site']].map(([name, value]) =>
      write(`${name}: ${value}`, `POST ${ORDERS}`, { headers: [[name, value]], body: content }, isProblem(403, 'forbidden-origin'))),
    ...anyWrite.map(([name, target, sent]) =>
      write(`403: ${name}`, target, { ...sent, headers: [['Origin', 'http://evil.example']] }, isProblem(403, 'forbidden-origin'))),
    ...anyCapture.map(([name, target, sent]) =>
      call(`403: ${name}`, target, { ...sent, headers: [['Origin', 'http://evil.example']] }, isError(403))),
    write('the origin of the server itself', `POST ${ORDERS}`, { headers: [['Origin', '{{base_url}}']], body: content }, isCreated()),
    read('a page may read what its browser lets it read', `GET ${ORDERS}?customer_id=c-{{run}}`, { headers: [['Origin', 'http://evil.example']] }, status(200)),
    ...anyWrite.map(([name, target, sent]) =>
      write(`421: ${name}`, target, { ...sent, headers: foreignHost }, isProblem(421, 'misdirected-request'))),
    ...anyCapture.map(([name, target, sent]) => call(`421: ${name}`, target, { ...sent, headers: foreignHost }, isError(421))),
    ...['GET', 'HEAD'].map((method) => call(`421: ${method} capture`, `${method} ${CAPTURES}/${captureKey('page')}`, { headers: foreignHost }, status(421))),
    ...anyRead.map((target) => read(`421: ${target}`, target, { headers: foreignHost }, status(421))),
    read('health is open to any name', 'GET /-/ready', { headers: foreignHost }, status(200)),
  ],
);

const problemPages = folder(
  'Problem pages',
  'Every problem type resolves to a page that explains it.',
  [
    read('all problems', 'GET /problems/', {}, status(200), headerHas('Content-Type', 'text/html'),
      problems.flatMap(({ slug }) => textHas(`/problems/${slug}`))),
    ...problems.map(({ slug }) =>
      read(slug, `GET /problems/${slug}`, {}, status(200), headerHas('Content-Type', 'text/html'), textHas(slug))),
    read('stale-version says what it is', 'GET /problems/stale-version', {}, textHas('data is out of date')),
    read('unknown', 'GET /problems/nothing', {}, isProblem(404, 'not-found')),
  ],
);

const backUp = (name, sent, ...checks) => write(name, 'POST /-/backup', { key: null, ...sent }, ...checks);
const operations = folder(
  'Operations',
  'Health, metrics, and this API described by itself.',
  [
    read('ping', 'GET /-/ping', {}, status(200), bodyIs({ message: 'pong' })),
    read('live', 'GET /-/live', {}, status(200), bodyIs({ status: 'live' })),
    read('ready', 'GET /-/ready', {}, status(200), bodyIs({ status: 'ready' })),
    read('ready for reads', 'GET /-/ready/reads', {}, status(200), bodyIs({ status: 'ready' })),
    write('an order', `POST ${ORDERS}`, { body: content }, isCreated()),
    read('position, which has reached that of the order', 'GET /-/position', {}, status(200),
      check('nothing is on the disk that was not decided, nor in Postgres that is not on the disk',
        'const { decided, durable, persisted } = pm.response.json();',
        "pm.expect(durable).to.be.within(pm.collectionVariables.get('position'), decided);",
        'if (persisted !== null) pm.expect(persisted).to.be.at.most(durable);')),
    read('back-ups so far', 'GET /-/backup', {}, status(200)),
    ...[['JSON', '{', 400, 'malformed-json'], ['name', { to: '../x' }, 422, 'backup-refused'], ['members', {}, 422, 'backup-refused']].map(([what, body, code, slug]) =>
      backUp(`a back-up of a wrong ${what}`, { body }, isProblem(code, slug))),
    backUp('a back-up of 1 MiB', { body: '{{body}}', before: ["pm.variables.set('body', ' '.repeat(1048577));"] }, isProblem(413, 'body-too-large')),
    backUp('a back-up as text', { type: 'text/plain', body: { to: 'text' } }, isProblem(415, 'unsupported-media-type')),
    write('a back-up with a query', 'POST /-/backup?x=y', { key: null, body: { to: 'query' } }, isProblem(400, 'malformed-query')),
    backUp('a back-up for a web page', { headers: [['Origin', 'http://evil.example']], body: { to: 'page' } }, isProblem(403, 'forbidden-origin')),
    backUp('a back-up for another host', { headers: foreignHost, body: { to: 'host' } }, isProblem(421, 'misdirected-request')),
    backUp('a back-up', { body: { to: '{{run}}' } }, status(202), header('Location', '/-/backup'), bodyHas({ status: 'running' })),
    read('the back-up', 'GET /-/backup', {}, status(200), textHas('{{run}}')),
    read('state', 'GET /-/state', {}, status(200), bodyHas({ status: 'ready', write_failure: null, postgres: null })),
    read('settings', 'GET /-/settings', {}, status(200), textHas('"name":"data-dir"')),
    ...['/console/', '/console/style.css', '/console/icon.svg', '/console/app.js'].map((path) =>
      read(path, `GET ${path}`, {}, status(200), headerHas('Cache-Control', 'no-cache'), headerHas('Content-Security-Policy', "default-src 'none'"))),
    ...['/console/', '/console/app.js'].flatMap((path) => ['GET', 'HEAD'].map((method) =>
      read(`${method} ${path} again`, `${method} ${path}`, { headers: [['If-None-Match', '*']] }, status(304), empty))),
    read('metrics', 'GET /metrics', {}, status(200), headerHas('Content-Type', 'text/plain'),
      check('lines of the Prometheus text format',
        "const lines = pm.response.text().split('\\n').filter((line) => line !== '');",
        "pm.expect(lines.filter((line) => line.startsWith('# TYPE '))).to.not.be.empty;",
        'const sample = /^[a-zA-Z_:][a-zA-Z0-9_:]*(\\{.*\\})? (NaN|[+-]?Inf|[-+]?[0-9.]+([eE][-+]?[0-9]+)?)( [0-9]+)?$/;',
        "pm.expect(lines.filter((line) => !line.startsWith('#') && !sample.test(line))).to.eql([]);")),
    read('OpenAPI document', 'GET /openapi.yaml', {}, status(200), headerHas('Content-Type', 'application/yaml'),
      check('is byte for byte docs/openapi.yaml (its SHA-256 is the variable openapi_sha256)',
        "pm.expect(CryptoJS.SHA256(pm.response.text()).toString()).to.eql(pm.variables.get('openapi_sha256'));")),
    read('OpenAPI document as JSON', 'GET /openapi.json', {}, status(200), header('Content-Type', 'application/json'),
      check('is docs/openapi.yaml, member by member (the SHA-256 of its compact form is the variable openapi_json_sha256)',
        "pm.expect(CryptoJS.SHA256(JSON.stringify(pm.response.json())).toString()).to.eql(pm.variables.get('openapi_json_sha256'));")),
  ],
);

export const collection = postman.collection(
  'Ordem contract',
  'Generated by tests/contract/collection.mjs; change that, then `npm run collection`. The first folder is the smoke test.',
  everyAnswer,
  [smokeTest, theKey, idempotency, conflicts, notRecorded, messages, contentRules, bodies, versions, statusMoves, changes, reads, lists, heads, paths,
    checkOrder, batches, commandBatches, captures, webPages, problemPages, operations],
);
