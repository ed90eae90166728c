// Checks docs/openapi.yaml as its readers use it: two linters, three generators of TypeScript clients, and each client against a server.
//
//   node run.mjs --lint                              only the linters
//   node run.mjs --base-url http://127.0.0.1:8080    a running server without identities
//   ORDEM_BINARY=... node run.mjs                    starts the server, and stops it
//
// The clients are generated from GET /openapi.json of the server.

import { spawnSync } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { start } from '../contract/server.mjs';

const { values: options } = parseArgs({ options: { lint: { type: 'boolean', default: false }, 'base-url': { type: 'string' } } });
process.chdir(fileURLToPath(new URL('.', import.meta.url)));
const DOCUMENT = '../../docs/openapi.yaml';
const DESCRIPTION = 'generated/openapi.json';
const STEP_MS_MAX = 120_000;

// None of the programs reports to its makers or asks for a newer version.
const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', NO_COLOR: '1' };

// Runs a program, by default one of node_modules. Ends the process with 1 unless it exits with 0 and `accepts` its output.
function run(what, [name, ...args], accepts = () => true) {
  const began = Date.now();
  const { status, error, stdout, stderr } = spawnSync(name.includes('/') ? name : `node_modules/.bin/${name}`, args, { encoding: 'utf8', env, timeout: STEP_MS_MAX });
  const passed = status === 0 && accepts(stdout + stderr);
  console.log(`${passed ? 'passed' : 'FAILED'}  ${what} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  if (passed) return;
  console.log(error?.message ?? `${stdout}${stderr}`);
  process.exit(1);
}

run('redocly', ['redocly', 'lint', DOCUMENT, '--config', 'redocly.yaml', '--format', 'stylish'], (output) => !/warning/i.test(output));
run('spectral', ['spectral', 'lint', DOCUMENT, '--ruleset', 'spectral.yaml', '--fail-severity', 'hint']);
if (!options.lint) {
  const server = options['base-url'] ? { url: options['base-url'].replace(/\/+$/, '') } : await start(process.env.ORDEM_BINARY);
  try {
    await generate(server.url);
    run('the clients compile', ['tsc', '--project', '.']);
    await import('./generated/js/main.js').then(({ walkAll }) => walkAll(server.url));
  } finally {
    const errors = await server.stop?.() ?? [];
    if (errors.length > 0) {
      process.exitCode = 1;
      console.log(errors.join('\n'));
    }
  }
}

async function generate(url) {
  await rm('generated', { recursive: true, force: true });
  await mkdir('generated');
  const answer = await fetch(`${url}/openapi.json`);
  if (!answer.ok) throw new Error(`GET /openapi.json: ${answer.status}`);
  await writeFile(DESCRIPTION, await answer.text());
  run('openapi-typescript', ['openapi-typescript', DESCRIPTION, '--output', 'generated/openapi-typescript.ts']);
  // By its function: its command fails on Node 18, without a message.
  const settings = { input: `./${DESCRIPTION}`, output: 'generated/hey-api', plugins: ['@hey-api/client-fetch'], logs: { file: false } };
  run('@hey-api/openapi-ts', [process.execPath, '--input-type=module', '--eval',
    `import { createClient } from '@hey-api/openapi-ts'; await createClient(${JSON.stringify(settings)});`]);
  run('swagger-typescript-api', ['swagger-typescript-api', 'generate', '--path', DESCRIPTION, '--output', 'generated', '--name', 'swagger-typescript-api.ts',
    '--disable-throw-on-error', '--generate-union-enums']);
  // So that the compiler checks this one too.
  const file = 'generated/swagger-typescript-api.ts';
  await writeFile(file, (await readFile(file, 'utf8')).replace('// @ts-nocheck', ''));
}
