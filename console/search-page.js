// Orders by what they have, newest first.

import { getJson } from './api.js';
import { element, fill } from './dom.js';
import { count, customerLink, money, orderLink, statusBadge, table, time } from './format.js';
import { loadInto } from './loading.js';
import { hashOf } from './router.js';

const PAGE = 50;
const STATUSES = ['new', 'confirmed', 'shipped', 'delivered', 'cancelled'];
const FILTERS = ['customer_id', 'external_id', 'status', 'created_after', 'created_before'];

export const title = 'Search';

// Returns an RFC 3339 time in UTC for the value of a field of dates and times.
const utcOf = (local) => (local === '' ? '' : `${local.length === 16 ? `${local}:00` : local}Z`);
const localOf = (utc) => utc.replace(/(\.\d+)?Z$/, '');

export function show(place, { query }, signal) {
  const results = element('section', { 'aria-label': 'Orders found' });
  fill(place, element('h1', {}, 'Search'), form(query), results);
  const filters = new URLSearchParams(FILTERS.flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : [])));
  const load = (cursor) => {
    const page = new URLSearchParams(filters);
    page.set('limit', PAGE);
    if (cursor !== null) page.set('cursor', cursor);
    return getJson(`api/v1/orders?${page}`, { signal });
  };
  loadInto(results, signal, () => load(null), (first) => fill(results, list(first, load, signal)));
}

function form(query) {
  const field = (name, label, properties) => [element('label', { for: `filter-${name}` }, label),
    element('input', { id: `filter-${name}`, name, value: query.get(name) ?? '', autocomplete: 'off', ...properties })];
  const when = (name, label) => field(name, label, { type: 'datetime-local', step: 1, value: localOf(query.get(name) ?? '') });
  const status = element('select', { id: 'filter-status', name: 'status' }, element('option', { value: '' }, 'any'),
    STATUSES.map((each) => element('option', { value: each, selected: query.get('status') === each }, each)));
  const submit = (event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.target));
    for (const name of ['created_after', 'created_before']) given[name] = utcOf(given[name]);
    location.hash = hashOf('search', given);
  };
  return element('form', { class: 'filters', on: { submit } },
    element('div', {}, field('customer_id', 'Customer', { maxlength: 128 })),
    element('div', {}, field('external_id', 'External id', { maxlength: 128 })),
    element('div', {}, element('label', { for: 'filter-status' }, 'Status'), status),
    element('div', {}, when('created_after', 'Created after (UTC)')),
    element('div', {}, when('created_before', 'Created before (UTC)')),
    element('div', { class: 'buttons' }, element('button', { class: 'primary' }, 'Search'), element('a', { href: '#/search' }, 'Clear')));
}

// A page may be empty and not be the last: the engine looks at a bounded number of orders for each.
function list(first, load, signal) {
  const rows = element('tbody', {});
  const shown = table('Orders', [['Order', ''], ['Status', ''], ['Customer', ''], ['Total', 'number'], ['Version', 'number'], ['Created', ''], ['Last change', '']], []);
  shown.querySelector('tbody').replaceWith(rows);
  const more = element('div', { class: 'more' });
  const add = ({ orders, next_cursor: cursor }) => {
    for (const order of orders) {
      rows.append(element('tr', {}, [
        [orderLink(order.order_id)], [statusBadge(order.status)], [[customerLink(order.customer_id), order.external_id ? element('div', { class: 'small' }, order.external_id) : null]],
        [money(order.total, order.currency), 'number'], [count(order.version), 'number'], [time(order.created_at)], [time(order.updated_at)],
      ].map(([cell, kind]) => element('td', { class: kind === 'number' ? 'number' : null }, cell))));
    }
    const found = rows.childElementCount;
    shown.hidden = found === 0;
    fill(more, element('p', { role: 'status' }, found === 0 ? (cursor ? 'None among the orders looked at so far.' : 'No order is like this.') : `${count(found)} ${found === 1 ? 'order' : 'orders'}${cursor ? ' so far' : ''}.`),
      cursor ? element('button', { type: 'button', on: { click: () => loadInto(more, signal, () => load(cursor), add) } }, 'Look further') : null);
  };
  add(first);
  return [shown, more];
}
