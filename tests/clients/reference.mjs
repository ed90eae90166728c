// Writes the reference page of docs/openapi.yaml: one HTML file that loads nothing. node reference.mjs FILE

import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const file = resolve(process.argv[2] ?? '');
if (process.argv.length !== 3) throw new Error('node reference.mjs FILE');
process.chdir(fileURLToPath(new URL('.', import.meta.url)));

const { status, stdout, stderr } = spawnSync('node_modules/.bin/redocly',
  ['build-docs', '../../docs/openapi.yaml', '--config', 'redocly.yaml', '--disableGoogleFont', '--output', file],
  { encoding: 'utf8', env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' } });
if (status !== 0) throw new Error(stdout + stderr);

// The page loads its script from the makers' server: put it in.
const LOADED = /<script src="https:\/\/[^"]*redoc\.standalone\.js"><\/script>/g;
const page = await readFile(file, 'utf8');
if (page.match(LOADED)?.length !== 1) throw new Error('the page does not load the script of Redoc once');
const script = (await readFile('node_modules/redoc/bundles/redoc.standalone.js', 'utf8')).replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
const whole = page.replace(LOADED, () => `<script>${script}</script>`);
const loads = whole.replace(script, '').match(/<(script|link|img|iframe)[^>]*(src|href)="(https?:)?\/\/[^"]*"/g);
if (loads) throw new Error(`the page loads ${loads.join(', ')}`);
await writeFile(file, whole);
console.log(`${file}: ${(whole.length / 1024 / 1024).toFixed(1)} MiB`);
