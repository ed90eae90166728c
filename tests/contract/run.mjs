// Checks a server against the contract: sends the collection and compares every response with docs/openapi.yaml.
//
//   node run.mjs --base-url http://127.0.0.1:8080   a running server; or BASE_URL
//   ORDEM_BINARY=... node run.mjs                   starts the server, and stops it; once without identities and once with a key
//   node run.mjs --lint                             only the document and the collection, no server
//   node run.mjs --write-collection                 writes ordem.postman_collection.json

import { createHash } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import newman from 'newman';
import { collection, problems } from './collection.mjs';
import { sendExamples } from './examples.mjs';
import { OpenApi } from './openapi.mjs';
import { start } from './server.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const DOCUMENT = here('../../docs/openapi.yaml');
const COLLECTION = here('ordem.postman_collection.json');

const { values: options } = parseArgs({
  options: {
    'base-url': { type: 'string' },
    lint: { type: 'boolean', default: false },
    'write-collection': { type: 'boolean', default: false },
  },
});

const written = `${JSON.stringify(collection, null, 1)}\n`;
if (options['write-collection']) {
  await writeFile(COLLECTION, written);
  process.exit(0);
}

// Responses that a healthy server does not give to these requests. Other tests cover them.
const exemptProblems = new Set(['backup-running', 'draining', 'expectation-failed', 'forbidden', 'no-owner', 'overloaded', 'rate-limited', 'unauthenticated', 'persistence-behind', 'position-trimmed', 'read-only', 'recovering', 'storage-failed', 'request-in-flight', 'request-timeout', 'too-many-connections']);
const isExempt = ({ status, slug, response, method, template }) =>
  exemptProblems.has(slug) || (response === '#/components/responses/CaptureForbidden' && ['get', 'head'].includes(method)) || [308, 401, 408, 410, 417, 429, 431, 503].includes(status) ||
  ['MalformedRequest', 'RequestInFlight', 'BackupRunning', 'CaptureBodyTooLarge', 'Forbidden'].some((name) => response === `#/components/responses/${name}`);

// Example bodies that a healthy server without Postgres and without a cluster does not send to these requests. Their messages are compared with the program's text all
// the same. Captures say in their own form what the problems say, and bodies and headers over the limit are tested elsewhere for them.
const exemptForCaptures = new Set([...exemptProblems, 'body-too-large', 'headers-too-large']);
// Examples that no response equals: a stream does not end, and all settings would be long.
const exemptExamples = new Set(['Changes, application/x-ndjson: begin', 'Changes, text/event-stream: begin', 'Settings, application/json: some']);
const isExemptBody = (body) => exemptProblems.has(slugOf(body)) || ['recovering', 'no-owner', 'read-only', 'draining', 'failed'].includes(body.status) ||
  body.cluster || body.persisted > 0 || body.info?.title === 'Ordem' ||  // the document itself, shortened
  Object.values(openapi.document.components.examples).some(({ value }) => exemptForCaptures.has(slugOf(value)) && value.detail === body.error);
function slugOf(body) {
  return String(body.type).replace('/problems/', '');
}

const groups = new Map();
function record(group, name, errors) {
  if (!groups.has(group)) groups.set(group, { passed: 0, failed: 0 });
  groups.get(group)[errors.length === 0 ? 'passed' : 'failed'] += 1;
  if (errors.length > 0) console.log(`FAILED  ${group}: ${name}${errors.map((error) => `\n          ${error}`).join('')}`);
}

const text = await readFile(DOCUMENT, 'utf8');
const openapi = new OpenApi(text);
for (const { name, errors } of await openapi.lint()) record('document', name, errors);
const committed = await readFile(COLLECTION, 'utf8').catch((error) => error.message);
record('collection', 'ordem.postman_collection.json is what collection.mjs makes',
  committed === written ? [] : ['it is not: npm run collection']);
record('collection', 'has the problems of the document',
  problems.map(({ slug }) => slug).join() === openapi.document.components.schemas.ProblemSlug.enum.join() ? [] : ['it has others']);

if (!options.lint) await againstServer();

let passed = 0;
let failed = 0;
for (const [group, counts] of groups) {
  console.log(`${`${group}:`.padEnd(12)} ${counts.passed} passed, ${counts.failed} failed`);
  passed += counts.passed;
  failed += counts.failed;
}
console.log(`contract: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function againstServer() {
  const baseUrl = options['base-url'] ?? process.env.BASE_URL;
  if (!baseUrl && !process.env.ORDEM_BINARY) {
    record('server', 'is known', ['give --base-url, BASE_URL or ORDEM_BINARY']);
    return;
  }
  const starts = baseUrl
    ? [async () => ({ url: baseUrl.replace(/\/+$/, ''), key: process.env.ORDEM_KEY })]
    : [false, true].map((identities) => () => start(process.env.ORDEM_BINARY, { identities }));
  for (const startOne of starts) {
    if (!await againstOne(startOne)) return;
  }
  const source = await programText();
  for (const { message, known } of openapi.messages(source)) {
    record('messages', message, known ? [] : ['is in an example, but the server does not have it']);
  }
  for (const { name, value, seen } of openapi.exampleBodies()) {
    if (!exemptExamples.has(name) && !isExemptBody(value)) record('examples', `${name} is what the server sends`, seen ? [] : [`no response had this body: ${JSON.stringify(value)}`]);
  }
  for (const { name, seen } of openapi.coverage(isExempt)) record('coverage', name, seen ? [] : ['is documented, but no response had it']);
}

// Returns whether a server was started.
async function againstOne(startOne) {
  let server;
  try {
    server = await startOne();
  } catch (error) {
    record('server', 'starts', [error.message]);
    return false;
  }
  try {
    await send(server);
    await sendExamples(server.url, server.key, openapi, (name, exchange, errors) => record('examples', name, [...errors, ...differences(exchange)]));
  } catch (error) {
    record('collection', 'runs to its end', [error.message]);
  } finally {
    if (server.stop) record('server', 'drains and exits with 0 after SIGTERM', await server.stop());
  }
  return true;
}

// Returns the source text of the program, with adjacent string literals joined.
async function programText() {
  const folders = ['app', 'storage', 'http-edge', 'engine'].map((name) => here(`../../${name}`));
  const files = await Promise.all(folders.map(async (folder) =>
    (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.cpp')).map((name) => `${folder}/${name}`)));
  const texts = await Promise.all(files.flat().map((file) => readFile(file, 'utf8')));
  return texts.join('\n').replace(/"\s*\n\s*"/g, '');
}

function sha256(data) {
  return createHash('sha256').update(data).digest('hex');
}

function send({ url, key }) {
  const auth = key ? { type: 'bearer', bearer: [{ key: 'token', value: key }] } : undefined;
  return new Promise((resolve, reject) => {
    const run = newman.run({
      collection: { ...collection, auth },
      envVar: [
        { key: 'base_url', value: url },
        { key: 'openapi_sha256', value: sha256(text) },
        { key: 'openapi_json_sha256', value: sha256(JSON.stringify(openapi.document)) },
      ],
      timeoutRequest: 60_000,
      ignoreRedirects: true,
    }, (error, summary) => {
      if (error) return reject(error);
      const { assertions } = summary.run.stats;
      for (let i = assertions.failed; i < assertions.total; ++i) record('assertions', '', []);
      for (const { parent, source, error: failure } of summary.run.failures) {
        record('assertions', `${parent?.name} / ${source?.name} / ${failure.test ?? failure.name}`, [failure.message]);
      }
      return resolve();
    });
    let folder;
    run.on('beforeItem', (error, { item }) => { folder = item.parent().name; });
    run.on('request', (error, { item, request, response }) => {
      if (error) return; // newman counts it as a failure
      record('responses', `${folder} / ${item.name}`, differences({
        method: request.method,
        path: request.url.getPath(),
        query: request.url.getQueryString(),
        headers: request.headers.all().map(({ key, value }) => [key, value]),
        body: request.body?.toString() ?? '',
        response: {
          status: response.code,
          headers: response.headers.all().map(({ key, value }) => [key, value]),
          body: response.stream?.toString('utf8') ?? '',
        },
      }));
    });
  });
}

function differences(exchange) {
  try {
    return openapi.differences(exchange);
  } catch (error) {
    return [`could not be checked: ${error.message}`];
  }
}
