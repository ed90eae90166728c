// One order: its current state, and how it came to be.

import { findJson, getJson, pathOf } from './api.js';
import { changesBetween } from './diff.js';
import { element, fill } from './dom.js';
import { count, customerLink, facts, json, money, statusBadge, table, time } from './format.js';
import { loadInto } from './loading.js';
import { lookupForm } from './lookup.js';

const PAGE = 50;

export const title = 'Order';

export function show(place, { name, query }, signal) {
  if (name === '') {
    fill(place, element('h1', {}, 'Order'), lookupForm({ page: 'orders', label: 'Order id', hint: 'A UUID, as in order_id of the answer to the create.' }));
    return;
  }
  const body = element('div', {});
  fill(place, element('h1', {}, 'Order ', element('span', { class: 'id' }, name)), body);
  const path = pathOf('api', 'v1', 'orders', name);
  loadInto(body, signal, () => load(path, signal), (loaded) => {
    if (loaded === null) {
      fill(body, notFound());
    } else {
      fill(body, current(loaded.order), history(path, loaded, query.get('version'), signal));
    }
  });
}

async function load(path, signal) {
  const slugs = ['order-not-found'];
  const found = await findJson(path, { signal, slugs });
  if (found === null) return null;
  return { order: found.order, page: await versionPage(path, null, signal) };
}

// Returns { versions, cursor, before }: `before` is the version below the oldest of the page, if there is one, for its changes.
async function versionPage(path, cursor, signal) {
  const after = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
  const { versions, next_cursor: next } = await getJson(`${path}/versions?limit=${PAGE}${after}`, { signal });
  const oldest = versions.at(-1)?.version ?? 1;
  const before = oldest > 1 ? (await getJson(`${path}/versions/${oldest - 1}`, { signal })).order : null;
  return { versions, cursor: next, before };
}

function notFound() {
  return element('div', { class: 'note', role: 'status' },
    element('p', {}, element('strong', {}, 'There is no such order.')),
    element('p', {}, 'No order of your tenant has this id. If the client has only its GUID, look up the message: it names the order.'));
}

function current(order) {
  return element('section', { 'aria-label': 'Current state' },
    facts(['Status', statusBadge(order.status)], ['Version', count(order.version)], ['Total', money(order.total, order.currency)],
      ['Customer', customerLink(order.customer_id)], ['External id', order.external_id], ['Created', time(order.created_at)],
      ['Last change', time(order.updated_at)], ['By', order.actor]),
    element('h2', {}, 'Items'),
    table('Items', [['SKU', ''], ['Quantity', 'number'], ['Unit price', 'number'], ['Sum', 'number']],
      order.items.map(({ sku, quantity, unit_price: price }) => [sku, count(quantity), money(price, order.currency), money(price * quantity, order.currency)])),
    order.attributes ? [element('h2', {}, 'Attributes'), json(order.attributes, 'Attributes as JSON')] : null);
}

function history(path, { page }, wanted, signal) {
  const list = element('ol', { class: 'timeline', reversed: true });
  const more = element('div', {});
  const add = ({ versions, cursor, before }) => {
    versions.forEach((version, at) => list.append(entry(version, versions[at + 1] ?? before, String(version.version) === wanted)));
    fill(more, cursor === null ? null : element('button', { type: 'button', on: {
      click: () => loadInto(more, signal, () => versionPage(path, cursor, signal), add),
    } }, 'Older versions'));
  };
  add(page);
  queueMicrotask(() => list.querySelector('.wanted')?.scrollIntoView({ block: 'center' }));
  return element('section', { 'aria-labelledby': 'history' }, element('h2', { id: 'history' }, 'History'), list, more);
}

function entry(version, before, isWanted) {
  return element('li', { class: isWanted ? 'wanted' : null },
    element('div', { class: 'entry-head' },
      element('strong', {}, `Version ${count(version.version)}`), ' ', summary(version, before), ' ', time(version.updated_at),
      version.actor ? [' by ', element('span', { class: 'actor' }, version.actor)] : null,
      version.merged_from ? ` merged with an edit of version ${count(version.merged_from)}` : null),
    before ? changes(before, version) : null);
}

function summary(version, before) {
  if (!before) return ['created as ', statusBadge(version.status)];
  return version.status === before.status ? 'content changed' : [statusBadge(before.status), ' → ', statusBadge(version.status)];
}

function changes(before, version) {
  const rows = changesBetween(before, version, money).filter(([field]) => field !== 'status');
  if (rows.length === 0) return null;
  return table(`Changes of version ${version.version}`, [['Field', 'field'], ['Before', ''], ['After', '']],
    rows.map(([field, old, made]) => [field, side('del', old), side('ins', made)]));
}

function side(tag, value) {
  if (value === undefined) return element('span', { class: 'none' }, 'none');
  return element(tag, {}, typeof value === 'string' ? value : JSON.stringify(value));
}
