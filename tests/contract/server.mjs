// Starts the server under test on a free port with a new data directory, and stops it by SIGTERM.

import { spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const START_MS_MAX = 60_000;
const STOP_MS_MAX = 60_000;
const LOG_LINES_MAX = 200;

// The environment without the variables of the tests, which the program would take for settings.
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('ORDEM_')));
const SCOPES = 'orders:read,orders:write,messages:read,captures,operations';

// Returns { url, key, stop }. With `identities`, `key` is an API key with all scopes, and every request needs one. stop() resolves to a
// list of errors, which is empty if the server drained and exited with 0.
export async function start(binary, { identities = false } = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'ordem-contract-'));
  const backups = join(directory, 'backups');
  await mkdir(backups);
  const keys = ['--keys', join(directory, 'keys')];
  const key = identities ? createKey(binary, keys) : undefined;
  const child = spawn(binary, ['serve', '--address', '127.0.0.1', '--port', '0', '--data-dir', join(directory, 'data'), '--log-format', 'json', '--backup-root', backups, ...(identities ? keys : [])],
    { stdio: ['ignore', 'ignore', 'pipe'], env: environment });
  const abort = () => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', abort);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

  const log = [];
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('close', (code, signal) => resolve(code === 0 ? '' : `ended with ${signal ?? code}`));
  });
  const port = new Promise((resolve) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      log.push(line);
      if (log.length > LOG_LINES_MAX) log.shift();
      const record = parsed(line);
      if (record?.message === 'listening') resolve(record.port);
    });
  });

  const begun = await within(START_MS_MAX, Promise.race([port, ended.then((how) => ({ how: how || 'ended with 0' }))]));
  if (typeof begun !== 'number') {
    child.kill('SIGKILL');
    await ended;
    throw new Error(`the server ${begun?.how ?? 'did not report that it listens'}\n${log.join('\n')}`);
  }

  return {
    url: `http://127.0.0.1:${begun}`,
    key,
    async stop() {
      child.kill('SIGTERM');
      let how = await within(STOP_MS_MAX, ended);
      if (how === undefined) {
        child.kill('SIGKILL');
        await ended;
        how = 'did not end after SIGTERM';
      }
      process.off('exit', abort);
      await rm(directory, { recursive: true, force: true });
      return how === '' ? [] : [`the server ${how}`, ...log];
    },
  };
}

function createKey(binary, keys) {
  const { status, stdout, stderr } = spawnSync(binary, ['key', 'create', ...keys, '--name', 'contract', '--scopes', SCOPES],
    { encoding: 'utf8', env: environment });
  if (status !== 0) throw new Error(`no key could be made: ${stderr}`);
  return stdout.trim();
}

function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

// Returns the promise's value, or undefined after ms_max.
async function within(ms_max, promise) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms_max);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
