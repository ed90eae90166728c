// The feed: changes as they happen, of all or some, without a gap over a restart.

import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { findingsOf, go, launch, open, sees } from './browser.mjs';
import { ORDERS, Server, content, makeOrder } from './server.mjs';

let server;
let browser;
before(async () => {
  server = await Server.start({ operations: true });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  Server.killAll();
});

const create = (guid, customer = content.customer_id) => server.send('POST', ORDERS, { guid, body: { ...content, customer_id: customer } });
const messages = (page) => page.locator('tbody tr td:last-child').allTextContents();

test('a change appears when it happens, with its order, version and message', async () => {
  const { page, close } = await open(browser, `${server.console}#/feed`);
  await page.getByText('live', { exact: true }).waitFor();
  await makeOrder(server, { name: 'f' });
  await page.getByRole('link', { name: 'f-shipped' }).waitFor();
  assert.deepEqual(await messages(page), ['f-shipped', 'f-confirmed', 'f-changed', 'f-created']);
  assert.match(await page.locator('tbody tr').nth(1).textContent(), /status changed.*v3.*confirmed.*c-1001/);
  await sees(page, '4 changes since this page was opened.');
  assert.deepEqual(await findingsOf(page), []);
  await page.getByRole('link', { name: 'f-created' }).click();
  await sees(page, 'Executed: it created the order');
  await close();
});

test('only the changes of one customer, or of one kind', async () => {
  const { page, close } = await open(browser, `${server.console}#/feed`);
  await page.getByLabel('Customer').fill('c-watched');
  await page.getByLabel('Change', { exact: true }).selectOption('order.created');
  await page.getByRole('button', { name: 'Show' }).click();
  await page.getByText('live', { exact: true }).waitFor();
  assert.match(page.url(), /#\/feed\?customer_id=c-watched&type=order\.created$/);
  await create('of-another');
  await makeOrder(server, { name: 'w', customer: 'c-watched' });
  await create('last', 'c-watched');
  await page.getByRole('link', { name: 'last', exact: true }).waitFor();
  assert.deepEqual(await messages(page), ['last', 'w-created']);
  await close();
});

test('a pause holds the page still, and nothing is lost', async () => {
  const { page, close } = await open(browser, `${server.console}#/feed`);
  await page.getByText('live', { exact: true }).waitFor();
  await create('before-pause');
  await page.getByRole('link', { name: 'before-pause' }).waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await create('in-pause');
  await sees(page, '2 changes since this page was opened.');
  assert.deepEqual(await messages(page), ['before-pause']);
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('link', { name: 'in-pause' }).waitFor();
  assert.deepEqual(await messages(page), ['in-pause', 'before-pause']);
  await close();
});

test('the feed goes on where it was when the engine is back', async () => {
  const { page, close } = await open(browser, `${server.console}#/feed`);
  await page.getByText('live', { exact: true }).waitFor();
  await create('before-crash');
  await page.getByRole('link', { name: 'before-crash' }).waitFor();
  await server.crash();
  await page.getByText('not connected').waitFor();
  // What is written before the page is connected again.
  await page.route('**/api/v1/changes**', (route) => route.abort());
  await server.start();
  await create('meanwhile');
  await page.unroute('**/api/v1/changes**');
  await page.getByRole('link', { name: 'meanwhile' }).waitFor();
  await create('after');
  await page.getByRole('link', { name: 'after', exact: true }).waitFor();
  assert.deepEqual(await messages(page), ['after', 'meanwhile', 'before-crash']);
  await go(page, '#/now', 'Now');
  await close();
});
