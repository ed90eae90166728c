// The short form in which collection.mjs is written, and its translation to a Postman collection v2.1.
//
// A request is `write(...)` or `read(...)`: a name, "METHOD path", what to send, and checks. A check is a
// named assertion whose lines become one pm.test(). Strings may hold {{variables}}; `run` is a fresh UUID
// for each folder and run, so that GUIDs and customers never meet those of an earlier run.

export function collection(name, description, everyAnswer, folders) {
  return {
    info: {
      name,
      description,
      schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
    },
    item: folders,
    event: [script('test', everyAnswer.flat())],
    variable: [{ key: 'base_url', value: 'http://127.0.0.1:8080' }],
  };
}

export function folder(name, description, requests) {
  const item = requests.flat();
  const names = new Set();
  for (const { name: request } of item) {
    if (names.has(request)) throw new Error(`${name}: two requests are named "${request}"`);
    names.add(request);
  }
  const start = "pm.collectionVariables.set('run', pm.variables.replaceIn('{{$guid}}'));";
  item[0].event.unshift(script('prerequest', [start]));
  return { name, description, item };
}

// A request with a GUID. `key` is its name, sent as an RFC 8941 String; by default a fresh UUID; null
// sends no Idempotency-Key. `type` is the Content-Type; null sends none. `headers` are [name, value].
export function write(name, target, { key, type = 'application/json', headers = [], body, before }, ...checks) {
  const all = [...headers];
  if (type !== null) all.unshift(['Content-Type', type]);
  if (key === undefined) all.push(['Idempotency-Key', '"{{$guid}}"']);
  else if (key !== null) all.push(['Idempotency-Key', `"${guid(key)}"`]);
  return request(name, target, { headers: all, body, before, bare: type === null }, checks);
}

export function read(name, target, { headers = [], before }, ...checks) {
  return request(name, target, { headers, before }, checks);
}

// A call of captures: JSON without a Content-Type, unless `type` is one.
export const call = (name, target, { body, type = null, headers, before }, ...checks) =>
  write(name, target, { key: null, type, headers, body, before }, ...checks);

// The GUID that `key: name` stands for.
export const guid = (name) => `{{run}}-${name}`;

function request(name, target, { headers, body, before, bare }, checks) {
  const [method, path] = target.split(' ');
  if (checks.length === 0) throw new Error(`${name}: a request without a check`);
  const result = { name, event: [] };
  // The variables of a prerequest script are large. They are unset, because every later script would copy them.
  const made = [...(before ?? []).join().matchAll(/pm\.variables\.set\('(\w+)'/g)].map(([, variable]) => variable);
  const unset = [...new Set(made)].map((variable) => `pm.variables.unset('${variable}');`);
  if (before) result.event.push(script('prerequest', before));
  result.event.push(script('test', [...checks.flat(), ...unset]));
  if (bare) result.protocolProfileBehavior = { disabledSystemHeaders: { 'content-type': true } };
  result.request = {
    method,
    header: headers.map(([key, value]) => ({ key, value })),
    url: `{{base_url}}${path}`,
  };
  if (body !== undefined) {
    const raw = typeof body === 'string' ? body : JSON.stringify(body, null, 2);
    result.request.body = { mode: 'raw', raw };
  }
  return result;
}

const script = (listen, exec) => ({ listen, script: { type: 'text/javascript', exec } });

// Returns a JavaScript literal in which {{variables}} are resolved when the test runs.
function literal(value) {
  if (typeof value === 'string') {
    const text = JSON.stringify(value);
    return value.includes('{{') ? `pm.variables.replaceIn(${text})` : text;
  }
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (value !== null && typeof value === 'object') {
    return `{ ${Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}: ${literal(v)}`).join(', ')} }`;
  }
  return JSON.stringify(value);
}

// ---- checks

export function check(name, ...lines) {
  return [`pm.test(${JSON.stringify(name)}, () => {`, ...lines.map((line) => `  ${line}`), '});'];
}

export const status = (code) => check(`status is ${code}`, `pm.response.to.have.status(${code});`);

export const header = (name, value) =>
  check(`${name} is ${value}`, `pm.expect(pm.response.headers.get('${name}')).to.eql(${literal(value)});`);

export const headerHas = (name, value) =>
  check(`${name} begins with ${value}`, `pm.expect(pm.response.headers.get('${name}')).to.satisfy((v) => v.startsWith(${literal(value)}));`);

export const noHeader = (name) => check(`no ${name}`, `pm.expect(pm.response.headers.has('${name}')).to.eql(false);`);

export const etag = (version) => header('ETag', `"${version}"`);

export const executed = noHeader('Idempotency-Replayed');

export const bodyIs = (value) => check('body', `pm.expect(pm.response.json()).to.eql(${literal(value)});`);

export const bodyHas = (value) => check('body', `pm.expect(pm.response.json()).to.deep.include(${literal(value)});`);

export const textHas = (value) =>
  check(`body contains ${value}`, `pm.expect(pm.response.text()).to.include(${literal(value)});`);

export const empty = check('no body', "pm.expect(pm.response.text() || '').to.eql('');");

// Checks a success about one order: status, ETag, message, and these members of the order.
const answer = (code, message) => (version, members = {}) => [
  ...status(code),
  ...etag(version),
  ...check(
    `${message}, version ${version}`,
    `pm.expect(pm.response.json()).to.include({ code: ${code}, message: '${message}' });`,
    `pm.expect(pm.response.json().order).to.deep.include(${literal({ version, ...members })});`,
  ),
];
const created = answer(201, 'order created');
export const isCreated = (members) => [
  ...created(1, { status: 'new', ...members }),
  ...check(
    'Location is the path of the order',
    "pm.expect(pm.response.headers.get('Location')).to.eql('/api/v1/orders/' + pm.response.json().order.order_id);",
  ),
];
export const isUpdated = answer(200, 'order updated');
export const isOrder = answer(200, 'ok');

export const noAttributes = check(
  'no member attributes',
  "pm.expect(pm.response.json().order).to.not.have.property('attributes');",
);

// Checks of captures: a response without a body, and an error.
export const isEmpty = (code) => [...status(code), ...empty, ...noHeader('Content-Type')];
export const isError = (code, text) => [
  ...status(code),
  ...header('Content-Type', 'application/json'),
  ...(text === undefined
    ? check('a message', "pm.expect(Object.keys(pm.response.json())).to.eql(['error']);", "pm.expect(pm.response.json().error).to.be.a('string').that.is.not.empty;")
    : bodyIs({ error: text })),
];

// Checks an error. `code` and the HTTP status differ only for 3043, 3044 and 3045.
export const isProblem = (code, slug, members = {}) => [
  ...status(code),
  ...check(`problem ${slug}`, `pm.expect(pm.response.json()).to.deep.include(${literal({ type: `/problems/${slug}`, ...members })});`),
];
export const detailNames = (text) =>
  check(`detail names ${text}`, `pm.expect(pm.response.json().detail).to.include(${literal(text)});`);
export const isStale = (code, current, supplied) =>
  isProblem(code, 'stale-version', {
    code: 3043,
    title: 'data is out of date',
    message: 'data is out of date',
    current_version: current,
    supplied_version: supplied,
  });
export const isInvalid = (...pointers) => [
  ...isProblem(422, 'invalid-order'),
  ...check(
    `errors at ${pointers.map((p) => p || '""').join(', ')}`,
    `pm.expect(pm.response.json().errors.map((e) => e.pointer)).to.have.members(${literal(pointers)});`,
  ),
];

// Stores a member of the body in a variable.
export const save = (variable, path) => [`pm.collectionVariables.set('${variable}', pm.response.json().${path});`];

// Stores the whole response, to compare a later one with it.
export const keep = (name) => [
  `pm.collectionVariables.set('answer_${name}', JSON.stringify({`,
  '  status: pm.response.code,',
  '  body: pm.response.text(),',
  "  etag: pm.response.headers.get('ETag') || null,",
  "  location: pm.response.headers.get('Location') || null,",
  "  type: pm.response.headers.get('Content-Type'),",
  '}));',
  `pm.collectionVariables.set('expires_${name}', pm.response.headers.get('Idempotency-Expires') || '');`,
  `pm.collectionVariables.set('length_${name}', pm.response.headers.get('Content-Length') || '');`,
];

export const isReplayOf = (name) => [
  ...check(
    `same status, body, ETag and Location as "${name}"`,
    'pm.expect({',
    '  status: pm.response.code,',
    '  body: pm.response.text(),',
    "  etag: pm.response.headers.get('ETag') || null,",
    "  location: pm.response.headers.get('Location') || null,",
    "  type: pm.response.headers.get('Content-Type'),",
    `}).to.eql(JSON.parse(pm.collectionVariables.get('answer_${name}')));`,
  ),
  ...header('Idempotency-Replayed', 'true'),
  ...check(
    `expires when "${name}" does`,
    `const first = Date.parse(pm.collectionVariables.get('expires_${name}'));`,
    "const now = Date.parse(pm.response.headers.get('Idempotency-Expires'));",
    'pm.expect(now).to.be.within(first - 1000, first + 1000);',
  ),
];

// Checks that the response to HEAD has the headers of the stored response to GET.
export const isHeadOf = (name) => [
  ...empty,
  ...check(
    `status, ETag, Content-Type and Content-Length as "${name}"`,
    `const get = JSON.parse(pm.collectionVariables.get('answer_${name}'));`,
    'pm.expect(pm.response.code).to.eql(get.status);',
    "pm.expect(pm.response.headers.get('ETag') || null).to.eql(get.etag);",
    "pm.expect(pm.response.headers.get('Content-Type')).to.eql(get.type);",
    `pm.expect(pm.response.headers.get('Content-Length')).to.eql(pm.collectionVariables.get('length_${name}'));`,
  ),
];
