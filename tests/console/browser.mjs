// A browser for the tests, which reports whatever the console must never do: reach another server, run what its policy forbids,
// fail, or write to the browser's log.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const slow = Number(process.env.ORDEM_SLOW ?? 1);
const WAIT_MS_MAX = 15_000 * slow;

export const launch = () => chromium.launch({ executablePath: process.env.ORDEM_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] });

// The browser itself logs these lines for answers and connections that the tests provoke.
const PROVOKED = /^Failed to load resource: /;

// Opens a page in a context of its own. Returns { page, faults, close }; close() fails if there were faults.
export async function open(browser, url, { scheme = 'light', width = 1280, height = 900, before } = {}) {
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height }, deviceScaleFactor: 1, timezoneId: 'Europe/Berlin', bypassCSP: false });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS_MAX);
  const faults = [];
  const origin = new URL(url).origin;
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith('data:')) faults.push(`request to ${request.url()}`);
  });
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !PROVOKED.test(message.text())) faults.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`exception: ${error.stack}`));
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`));
  });
  await before?.(page);
  await page.goto(url);
  return {
    page, faults, origin,
    async close() {
      await context.close();
      assert.deepEqual(faults, []);
    },
  };
}

// Goes to a page of the console by its hash, and waits for its heading.
export async function go(page, hash, heading) {
  await page.evaluate((to) => { location.hash = to; }, hash);
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
}

export const sees = (page, text) => page.getByText(text).first().waitFor();

// Returns the findings of axe-core as texts. Its script runs in the page's world, where the policy would refuse a script element.
export async function findingsOf(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary?.split('\n')[1] ?? ''}`));
}

// Returns how far the page is wider than its window.
export const overflowOf = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

export async function signIn(page, key) {
  await page.locator('#sign-in').click();
  await page.getByLabel('API key or token').fill(key);
  await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click();
}
