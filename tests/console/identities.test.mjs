// Sign-in, scopes and what is kept, on a server with identities; by the listener for operations and by the main one.

import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { findingsOf, go, launch, open, sees, signIn } from './browser.mjs';
import { Server, allocate, keyOf, makeOrder } from './server.mjs';

const ALL = 'orders:read,orders:write,messages:read,captures,operations';

for (const operations of [true, false]) {
  const by = operations ? 'the listener for operations' : 'the main listener';
  let server;
  let browser;
  let keys;
  let order;

  before(async () => {
    server = await Server.start({ operations });
    keys = { all: server.key('clerk', ALL), orders: server.key('reader', 'orders:read'), writer: server.key('writer', 'captures') };
    await server.withKeys();
    order = await makeOrder(server, { key: keys.all });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    Server.killAll();
  });

  test(`${by}: without a key the console says what is missing, and shows the page after a sign-in`, async () => {
    const { page, close } = await open(browser, `${server.console}#/orders/${order.id}`);
    await sees(page, 'This engine has identities.');
    assert.deepEqual(await findingsOf(page), []);
    await page.locator('main').getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('API key or token').fill('ordem_wrong');
    await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click();
    await sees(page, 'The engine does not accept this key or token.');
    assert.deepEqual(await findingsOf(page), []);
    await page.getByLabel('API key or token').fill(keys.all);
    await page.getByLabel('API key or token').press('Enter');
    await sees(page, 'Version 4');
    await sees(page, 'clerk');
    await go(page, '#/health', 'Health');
    await sees(page, '--data-dir');
    assert.equal(await page.getByText('granted').count(), 4);

    await page.getByRole('button', { name: 'Sign out' }).click();
    await sees(page, 'sign in');
    assert.equal(await page.getByText('--data-dir').count(), 0, 'what was read is still there');
    await go(page, `#/messages/${order.created}`, order.created);
    await sees(page, 'This engine has identities.');
    await close();
  });

  test(`${by}: the key is in the storage of the tab alone, and in no address`, async () => {
    const { page, close } = await open(browser, server.console);
    await signIn(page, keys.all);
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.reload();
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    const kept = await page.evaluate(() => ({ session: JSON.stringify(sessionStorage), local: JSON.stringify(localStorage), cookie: document.cookie, url: location.href, page: document.documentElement.outerHTML }));
    assert.ok(kept.session.includes(keys.all));
    for (const where of ['local', 'cookie', 'url', 'page']) assert.ok(!kept[where].includes(keys.all), where);
    await close();
  });

  test(`${by}: a missing scope is named`, async () => {
    const { page, close } = await open(browser, `${server.console}#/messages/${order.created}`);
    await signIn(page, keys.orders);
    await sees(page, 'The key lacks');
    assert.match(await page.getByRole('dialog').textContent(), /messages:read.*captures.*operations/);
    assert.deepEqual(await findingsOf(page), []);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await sees(page, 'Your key lacks the scope messages:read');
    await go(page, `#/find/${order.id}`, order.id);
    await sees(page, 'shipped');
    await sees(page, 'Not looked for: a message');
    await close();
  });

  test(`${by}: only the holder of an allocation releases it`, async () => {
    await allocate(server, 'held', keys.writer);
    const { page, close } = await open(browser, `${server.console}#/captures/${keyOf('held')}`);
    await signIn(page, keys.all);
    await sees(page, 'writer');
    await page.getByLabel('The request is not being executed').check();
    await page.getByRole('button', { name: 'Release' }).click();
    await sees(page, 'another identity holds the allocation');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await signIn(page, keys.writer);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await page.getByLabel('The request is not being executed').check();
    await page.getByRole('button', { name: 'Release' }).click();
    await sees(page, 'This key is not allocated.');
    await close();
  });
}
