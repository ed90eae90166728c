// Starts servers for the tests, on ports that stay the same over a restart, and sends them what the console shows.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const START_MS_MAX = 60_000;
export const ORDERS = '/api/v1/orders';
const CAPTURES = '/api/v2/captures';

const binary = process.env.ORDEM_BINARY ?? '../../build/release/app/ordem';
// Without the variables of the tests, which the program would take for settings.
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ORDEM_')));

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const all = new Set();

export class Server {
  #child = null;
  #directory;
  #flags;

  static async start({ flags = [], operations = false } = {}) {
    const made = new Server();
    all.add(made);
    made.#directory = await mkdtemp(join(tmpdir(), 'ordem-console-'));
    made.port = await freePort();
    made.operationsPort = operations ? await freePort() : null;
    made.#flags = [...flags, ...(operations ? [`--operations-port=${made.operationsPort}`] : [])];
    process.once('exit', () => {
      made.kill();
      rmSync(made.#directory, { recursive: true, force: true });
    });
    await made.start();
    return made;
  }

  // Ends the servers that a failed test has left, which would keep the process of the tests.
  static killAll() {
    for (const each of all) each.kill();
  }

  get url() { return `http://127.0.0.1:${this.port}`; }
  // Where the console is.
  get console() { return `http://127.0.0.1:${this.operationsPort ?? this.port}/console/`; }
  get dataFolder() { return join(this.#directory, 'data'); }
  get keysFile() { return join(this.#directory, 'keys'); }

  // Adds an identity; returns its API key. The server has to be started with withKeys().
  key(name, scopes) {
    const made = spawnSync(binary, ['key', 'create', '--keys', this.keysFile, '--name', name, '--tenant', 'shop', '--scopes', scopes], { env: environment, encoding: 'utf8' });
    if (made.status !== 0) throw new Error(made.stderr);
    return made.stdout.trim();
  }

  // Restarts with identities.
  async withKeys() {
    await this.stop();
    this.#flags.push('--keys', this.keysFile);
    await this.start();
  }

  async start() {
    const child = spawn(binary, ['serve', `--port=${this.port}`, `--data-dir=${join(this.#directory, 'data')}`, '--log-format=json', ...this.#flags],
      { stdio: ['ignore', 'ignore', 'pipe'], env: environment });
    this.#child = child;
    const log = [];
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the server did not start in time\n${log.join('\n')}`)), START_MS_MAX);
      createInterface({ input: child.stderr }).on('line', (line) => {
        log.push(line);
        if (!line.includes('"message":"listening"')) return;
        clearTimeout(timer);
        resolve();
      });
      child.once('close', () => {
        clearTimeout(timer);
        reject(new Error(`the server ended\n${log.join('\n')}`));
      });
    });
  }

  kill() {
    this.#child?.kill('SIGKILL');
  }

  async #ended(signal) {
    if (this.#child === null) return;
    const gone = once(this.#child, 'close');
    this.#child.kill(signal);
    await gone;
    this.#child = null;
  }

  // Ends without a word, as by a power loss.
  crash() { return this.#ended('SIGKILL'); }
  stop() { return this.#ended('SIGTERM'); }

  async send(method, path, { body, guid, key } = {}) {
    const headers = {};
    if (body !== undefined) headers['Content-Type'] = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    if (guid !== undefined) headers['Idempotency-Key'] = guid;
    if (key !== undefined) headers.Authorization = `Bearer ${key}`;
    const response = await fetch(this.url + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  }
}

export const content = {
  customer_id: 'c-1001',
  currency: 'EUR',
  items: [{ sku: 'A-1', quantity: 2, unit_price: 1999 }, { sku: 'B-7', quantity: 1, unit_price: 450 }],
  attributes: { channel: 'web', gift: { wrapped: true } },
};

// Makes an order with four versions, and a rejected message. Returns { id, created, changed, stale } with the GUIDs.
export async function makeOrder(server, { name = 'o', key, customer = content.customer_id } = {}) {
  const guids = { created: `${name}-created`, changed: `${name}-changed`, stale: `${name}-stale` };
  const made = await server.send('POST', ORDERS, { guid: guids.created, key, body: { ...content, customer_id: customer } });
  const id = made.body.order.order_id;
  await server.send('PATCH', `${ORDERS}/${id}`, { guid: guids.changed, key,
    body: { version: 1, items: [{ sku: 'A-1', quantity: 3, unit_price: 1999 }, { sku: 'C-9', quantity: 1, unit_price: 12_000 }], attributes: { gift: null, note: 'ring twice' } } });
  await server.send('POST', `${ORDERS}/${id}/status`, { guid: `${name}-confirmed`, key, body: { version: 2, status: 'confirmed' } });
  await server.send('POST', `${ORDERS}/${id}/status`, { guid: `${name}-shipped`, key, body: { version: 3, status: 'shipped' } });
  await server.send('POST', `${ORDERS}/${id}/status`, { guid: guids.stale, key, body: { version: 1, status: 'cancelled' } });
  return { id, ...guids };
}

export const keyOf = (text) => Buffer.from(text).toString('base64url');

export const allocate = (server, text, key) => server.send('PUT', CAPTURES, { body: { idempotency_key: keyOf(text) }, key });
export const record = (server, text, response, key) => server.send('POST', CAPTURES, { body: { idempotency_key: keyOf(text), response }, key });
