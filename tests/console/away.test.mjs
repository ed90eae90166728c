// An engine that goes away and comes back, and one that refuses writes.

import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import test, { after, before } from 'node:test';
import { go, launch, open, sees } from './browser.mjs';
import { ORDERS, Server, allocate, content, keyOf, makeOrder } from './server.mjs';

let browser;
before(async () => { browser = await launch(); });
after(async () => {
  await browser?.close();
  Server.killAll();
});

test('an engine that is killed is called away, and the console goes on by itself when it is back', async () => {
  const server = await Server.start();
  const order = await makeOrder(server);
  const { page, close } = await open(browser, server.console);
  await sees(page, 'Writes and reads are served.');
  await sees(page, 'Refusals of the last');
  await server.crash();
  await sees(page, 'The engine is away');
  await sees(page, 'The figures are those from before');
  await go(page, `#/orders/${order.id}`, order.id);
  await sees(page, 'Trying again until it answers.');
  await server.start();
  await sees(page, 'Version 4');
  await sees(page, 'Writes and reads are served.');
  assert.equal(await page.getByText('The engine is away').count(), 0);
  await server.stop();
  await close();
});

test('a release that the engine does not answer says that its outcome is not known', async () => {
  const server = await Server.start();
  await allocate(server, 'k');
  const { page, close } = await open(browser, `${server.console}#/captures/${keyOf('k')}`);
  await page.getByLabel('The request is not being executed').check();
  await server.crash();
  await page.getByRole('button', { name: 'Release' }).click();
  await sees(page, 'Whether it released the key is not known');
  await server.start();
  await page.getByRole('button', { name: 'Look again' }).click();
  await sees(page, 'One caller has permission to execute.');
  await server.stop();
  await close();
});

test('why are writes refused: the reason and what to do', async () => {
  const server = await Server.start();
  const { page, close } = await open(browser, server.console);
  await sees(page, 'Writes and reads are served.');
  await rename(server.dataFolder, `${server.dataFolder}-moved`);
  assert.equal((await server.send('POST', ORDERS, { guid: 'g', body: content })).status, 503);
  await sees(page, 'Writes are refused; reads are served');
  await sees(page, /The data folder|data folder was/i);
  const banner = page.locator('#banner');
  assert.match(await banner.textContent(), /Since 20\d\d-.*removed or replaced.*What to do: .*About read-only/);
  await go(page, '#/health', 'Health');
  await sees(page, 'Writes fail since');
  await server.crash();
  await close();
});

// What is hard to bring about is answered in place of the engine.
const METRICS = (postgres) => `ordem_build_info{version="9"} 1\nprocess_start_time_seconds 1\n${postgres}`;
const answers = (postgres, state) => async (page) => {
  await page.route('**/metrics', (route) => route.fulfill({ contentType: 'text/plain', body: METRICS(postgres) }));
  await page.route('**/-/state', (route) => route.fulfill({ json: state }));
};
const well = { status: 'ready', version: '9', started_at: '2026-11-26T10:00:00.000Z', write_failure: null, postgres: { failure: null } };

for (const [name, postgres, state, expected] of [
  ['behind', 'ordem_postgres_connected 1\nordem_postgres_lag_seconds 42\nordem_postgres_lag_entries 1234\nordem_postgres_backlog_bytes 1048576\n', well,
    ['Postgres is behind by 42 s', 'Postgres lacks 1,234 entries (1 MiB of log), the oldest for 42 s.']],
  ['away', 'ordem_postgres_connected 0\nordem_postgres_lag_seconds 3\nordem_postgres_lag_entries 1\nordem_postgres_backlog_bytes 100\n',
    { ...well, postgres: { failure: { since: '2026-11-26T11:00:00.000Z', reason: 'connection refused <b>' } } },
    ['Postgres is away; the engine goes on', 'connection refused <b>', 'Postgres lacks 1 entry']],
  ['well', 'ordem_postgres_connected 1\nordem_postgres_lag_seconds 0\nordem_postgres_lag_entries 0\nordem_postgres_backlog_bytes 0\n', well,
    ['Ready', 'Postgres has everything.']],
]) {
  test(`is Postgres behind: ${name}`, async () => {
    const server = await Server.start();
    const { page, close } = await open(browser, server.console, { before: answers(postgres, state) });
    for (const text of expected) await page.locator('#banner').getByText(text).first().waitFor();
    await page.locator('figure', { hasText: 'Postgres behind' }).locator('svg').waitFor();
    await close();
    await server.stop();
  });
}
