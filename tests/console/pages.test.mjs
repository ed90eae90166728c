// Every page and action, on a server without identities that has a listener for operations.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findingsOf, go, launch, open, overflowOf, sees } from './browser.mjs';
import { ORDERS, Server, allocate, content, keyOf, makeOrder, record } from './server.mjs';

const PICTURES = fileURLToPath(new URL('../../build/console/', import.meta.url));
const captured = { response_status: 201, response_body: '{"id":17}', response_headers: [{ key: 'Set-Cookie', value: ['a=b', 'c=d'] }] };

let server;
let browser;
let order;

before(async () => {
  mkdirSync(PICTURES, { recursive: true });
  server = await Server.start({ operations: true });
  browser = await launch();
  order = await makeOrder(server);
  await allocate(server, 'leased');
  await allocate(server, 'done');
  await record(server, 'done', captured);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  Server.killAll();
});

// Runs `use` with the console at that hash, and fails for anything that it must never do.
async function at(hash, use, options) {
  const opened = await open(browser, server.console + hash, options);
  await use(opened.page, opened);
  await opened.close();
}

const EACH = () => [
  ['now', '#/now', 'Now', 'Refusals of the last'],
  ['feed', '#/feed', 'Feed', 'Nothing has changed since'],
  ['search', '#/search?customer_id=c-1001', 'Search', /^\d+ orders?\.$/],
  ['order-form', '#/orders', 'Order', 'A UUID, as in order_id'],
  ['order', `#/orders/${order.id}`, order.id, 'Version 1'],
  ['message-form', '#/messages', 'Message', 'The Idempotency-Key'],
  ['message', `#/messages/${order.created}`, order.created, 'Executed: it created the order'],
  ['message-rejected', `#/messages/${order.stale}`, order.stale, 'Rejected with code 3043'],
  ['message-unknown', '#/messages/nothing', 'nothing', 'No message with this GUID is kept.'],
  ['captures-form', '#/captures', 'Captures', 'Base64url without padding'],
  ['capture-leased', `#/captures/${keyOf('leased')}`, keyOf('leased'), 'The request is not being executed'],
  ['capture-done', `#/captures/${keyOf('done')}`, keyOf('done'), 'Recorded response'],
  ['health', '#/health', 'Health', '--data-dir'],
  ['find', `#/find/${order.created}`, order.created, 'Executed: it created the order'],
  ['find-nothing', '#/find/nothing-of-this-name', 'nothing-of-this-name', 'Nothing found.'],
];

for (const [kind, options] of [['light', {}], ['dark', { scheme: 'dark' }], ['phone', { width: 375, height: 800 }]]) {
  test(`every page is accessible and fits: ${kind}`, async () => {
    await at('', async (page) => {
      for (const [name, hash, heading, text] of EACH()) {
        await go(page, hash, heading);
        await sees(page, text);
        await page.screenshot({ path: `${PICTURES}${name}-${kind}.png` });
        assert.deepEqual(await findingsOf(page), [], name);
        assert.equal(await overflowOf(page), 0, `${name} is wider than the window`);
      }
    }, options);
  });
}

test('a page is there by its address alone, and Back leads to the one before', async () => {
  await at(`#/orders/${order.id}?version=2`, async (page) => {
    await sees(page, 'Version 2');
    assert.equal(await page.locator('.timeline li.wanted strong').textContent(), 'Version 2');
    assert.equal(await page.title(), `Order ${order.id} - Ordem`);
    await page.getByRole('link', { name: 'c-1001' }).first().click();
    await sees(page, /^\d+ orders?\.$/);
    await page.goBack();
    await page.getByRole('heading', { level: 1, name: order.id }).waitFor();
    await go(page, '#/nothing', 'No such page');
  });
});

test('what happened to an order: each version with its time and its changes', async () => {
  await at(`#/orders/${order.id}`, async (page) => {
    await sees(page, 'Version 1');
    const entries = await page.locator('.timeline li').allTextContents();
    assert.equal(entries.length, 4);
    assert.match(entries[0], /Version 4 confirmed → shipped 20\d\d-/);
    assert.match(entries[2], /Version 2 content changed/);
    assert.match(entries[2], /item A-12 × EUR.19\.993 × EUR.19\.99/);
    assert.match(entries[2], /attributes\.notenonering twice/);
    assert.match(entries[3], /Version 1 created as new/);
    await go(page, '#/orders/0190b3f2-9f6c-7cc0-8000-5f3a1c2d4e6f', '0190b3f2');
    await sees(page, 'There is no such order.');
  });
});

test('an order with many versions shows them page by page', async () => {
  const made = await server.send('POST', ORDERS, { guid: 'many', body: content });
  const id = made.body.order.order_id;
  for (let version = 1; version <= 51; version += 1) {
    await server.send('PATCH', `${ORDERS}/${id}`, { guid: `many-${version}`, body: { version, attributes: { n: version } } });
  }
  await at(`#/orders/${id}`, async (page) => {
    await sees(page, 'Version 52');
    assert.equal(await page.locator('.timeline li').count(), 50);
    // The oldest of the page has its changes, too, against a version that is not shown yet.
    assert.match(await page.locator('.timeline li').last().textContent(), /Version 3 .*attributes\.n12/);
    await page.getByRole('button', { name: 'Older versions' }).click();
    await sees(page, 'created as');
    assert.equal(await page.locator('.timeline li').count(), 52);
    assert.equal(await page.getByRole('button', { name: 'Older versions' }).count(), 0);
  });
});

test('was this GUID executed: request, answer and fate', async () => {
  await at(`#/messages/${order.changed}`, async (page) => {
    await sees(page, 'Executed: it made version 2');
    await sees(page, `PATCH /api/v1/orders/${order.id}`);
    await page.getByRole('link', { name: '2', exact: true }).click();
    await sees(page, 'Version 2');
    await go(page, `#/messages/${order.stale}`, order.stale);
    await sees(page, 'data is out of date');
    await page.getByText('version: none was made').or(page.getByText('none was made')).first().waitFor();
  });
});

test('one field finds an order, a message and a capture, and says what it found', async () => {
  await at('', async (page) => {
    const find = async (text) => {
      await page.getByRole('searchbox').fill(text);
      await page.getByRole('searchbox').press('Enter');
      await page.getByRole('heading', { level: 1, name: `Find ${text}` }).waitFor();
    };
    await find(order.id.toUpperCase());
    await sees(page, 'shipped');
    await find(order.changed);
    await sees(page, 'Executed: it made version 2');
    await find('done');
    await page.getByRole('link', { name: keyOf('done') }).click();
    await sees(page, 'Recorded response');
    await find('/?#%"<b>');
    await sees(page, 'Nothing found.');
  });
});

test('a capture is looked up and released', async () => {
  await allocate(server, 'given up');
  await at('#/captures', async (page) => {
    await page.getByRole('textbox', { name: 'Key' }).fill('given up');
    await page.getByRole('button', { name: 'Look up' }).click();
    await page.getByRole('link', { name: keyOf('given up') }).click();
    await sees(page, 'One caller has permission to execute.');
    // The box says that this is meant; without it the browser refuses.
    await page.getByRole('button', { name: 'Release' }).click();
    assert.equal((await allocate(server, 'given up')).status, 409);
    await page.getByLabel('The request is not being executed').check();
    await page.getByRole('button', { name: 'Release' }).click();
    await sees(page, 'This key is not allocated.');
    assert.equal((await allocate(server, 'given up')).status, 202);
  });
});

test('a release that comes too late says why', async () => {
  await allocate(server, 'late');
  await at(`#/captures/${keyOf('late')}`, async (page) => {
    await page.getByLabel('The request is not being executed').check();
    await record(server, 'late', captured);
    await page.getByRole('button', { name: 'Release' }).click();
    await sees(page, 'Not released: a response was recorded meanwhile');
    await page.getByRole('button', { name: 'Look again' }).click();
    await sees(page, 'Recorded response');
  });
});

test('search pages through the orders of a customer', async () => {
  for (let n = 0; n < 53; n += 1) await server.send('POST', ORDERS, { guid: `page-${n}`, body: { ...content, customer_id: 'c-many' } });
  await at('#/search', async (page) => {
    await page.getByLabel('Customer').fill('c-many');
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await sees(page, '50 orders so far.');
    await page.getByRole('button', { name: 'Look further' }).click();
    await sees(page, '53 orders.');
    assert.equal(await page.locator('tbody tr').count(), 53);
    assert.match(page.url(), /#\/search\?customer_id=c-many$/);
    await go(page, '#/search?customer_id=nobody', 'Search');
    await sees(page, 'No order is like this.');
  });
});

test('Now shows what is written, replayed and refused', async () => {
  await at('#/now', async (page) => {
    await sees(page, 'Refusals of the last');
    await server.send('POST', ORDERS, { guid: 'now', body: content });
    await server.send('POST', ORDERS, { guid: 'now', body: content });
    await server.send('POST', ORDERS, { guid: 'now', body: { ...content, currency: 'USD' } });
    await page.getByRole('link', { name: 'guid-reused' }).waitFor();
    const written = page.locator('svg[aria-label^="Requests: writes"]');
    await written.waitFor();
    assert.equal(await page.locator('figure.chart svg').count(), 5);
    await sees(page, 'The log is not replicated to Postgres');
  });
});

test('Health shows the positions and the settings, and finds one', async () => {
  await at('#/health', async (page) => {
    await sees(page, '--data-dir');
    await sees(page, 'Durable');
    assert.equal(await page.getByText('granted').count(), 4);
    await page.getByLabel('Filter').fill('LEASE');
    await page.getByText('--capture-lease').waitFor();
    assert.equal(await page.getByText('--data-dir').isVisible(), false);
  });
});

test('hostile texts stay texts', async () => {
  const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script>"\'&{{7*7}}';
  const made = await server.send('POST', ORDERS, { guid: '<script>alert(3)</script>', body: {
    customer_id: hostile, currency: 'XXX', items: [{ sku: '</td><b>x', quantity: 1, unit_price: 1 }], attributes: { [hostile]: hostile, ['__proto__']: { x: 1 }, constructor: 'c' } } });
  assert.equal(made.status, 201);
  const id = made.body.order.order_id;
  await server.send('PATCH', `${ORDERS}/${id}`, { guid: 'javascript:alert(4)', body: { version: 1, attributes: { [hostile]: 'javascript:alert(5)' } } });
  const key = keyOf('hostile');
  await allocate(server, 'hostile');
  await record(server, 'hostile', { response_status: 200, response_body: hostile, response_headers: [{ key: hostile, value: hostile }] });
  await at(`#/orders/${id}`, async (page) => {
    await sees(page, 'Version 1');
    await sees(page, hostile);
    for (const [hash, heading] of [
      [`#/messages/${encodeURIComponent('<script>alert(3)</script>')}`, '<script>alert(3)</script>'], [`#/messages/${encodeURIComponent('javascript:alert(4)')}`, 'javascript:alert(4)'],
      [`#/captures/${key}`, key], [`#/search?customer_id=${encodeURIComponent(hostile)}`, 'Search'], [`#/find/${encodeURIComponent(hostile)}`, hostile],
      [`#/orders/${encodeURIComponent(`../../x${hostile}`)}`, hostile], [`#/search?status=${encodeURIComponent(hostile)}`, 'Search'],
    ]) {
      await go(page, hash, heading);
      await page.locator('main :is(.note:not([role=status]), .note[role=status] strong, table, .facts, .card)').first().waitFor();
      assert.equal(await page.locator('main script, main img, main b:not(.advice b)').count(), 0, hash);
    }
  });
});

test('everything can be reached by the keyboard', async () => {
  await at('#/now', async (page) => {
    await sees(page, 'Refusals of the last');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the page');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'page');
    await page.locator('.brand').focus();
    const reached = [];
    for (let n = 0; n < 11; n += 1) {
      await page.keyboard.press('Tab');
      reached.push(await page.evaluate(() => document.activeElement.textContent || document.activeElement.id));
    }
    assert.deepEqual(reached, ['find-text', 'Find', 'Theme: system', 'Sign in', 'Now', 'Feed', 'Search', 'Order', 'Message', 'Captures', 'Health']);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Health' }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'page');
  });
});

test('the theme follows the system until another one is chosen, which stays', async () => {
  await at('', async (page) => {
    const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await back();
    await page.getByRole('button', { name: 'Theme: system' }).click();
    assert.equal(await back(), light);
    await page.getByRole('button', { name: 'Theme: light' }).click();
    const dark = await back();
    assert.notEqual(dark, light);
    await page.reload();
    await page.getByRole('button', { name: 'Theme: dark' }).waitFor();
    assert.equal(await back(), dark);
  });
});

test('the policy stops what a script could do', async () => {
  const { page, faults } = await open(browser, server.console);
  const violated = page.waitForEvent('console', { predicate: (message) => message.text().startsWith('policy violated: img-src') });
  await page.evaluate(() => {
    document.body.append(Object.assign(document.createElement('img'), { src: 'http://127.0.0.1:9/x.png', alt: '' }));
  });
  await violated;
  await assert.rejects(page.evaluate(() => { document.body.innerHTML = '<b>x</b>'; }), /TrustedHTML/);
  // And this is how the other tests would fail.
  assert.ok(faults.some((fault) => fault.includes('policy violated')), faults.join('\n'));
  await page.context().close();
});
