// Changes of orders as they happen.

import { Away, Refused, request } from './api.js';
import { element, fill } from './dom.js';
import { badge, count, customerLink, messageLink, orderLink, link, statusBadge, table, time } from './format.js';
import { backOff, errorNote, pause } from './loading.js';
import { linesOf } from './lines.js';
import { hashOf } from './router.js';

const ROWS_MAX = 200;
const TYPES = ['order.created', 'order.updated', 'order.status_changed'];
const KINDS = { 'order.created': 'good', 'order.updated': 'info', 'order.status_changed': 'warn' };

export const title = 'Feed';

export function show(place, { query }, signal) {
  const filters = { customer_id: query.get('customer_id') ?? '', type: query.get('type') ?? '' };
  const view = makeView(filters);
  fill(place, element('h1', {}, 'Feed'), view.node);
  consume(view, filters, signal).catch((error) => {
    if (error.name !== 'AbortError') throw error;
  });
}

function makeView(filters) {
  const rows = element('tbody', {});
  const list = table('Changes of orders', [['Position', 'number'], ['Time', ''], ['Change', ''], ['Order', ''], ['Status', ''], ['Customer', ''], ['Message', '']], []);
  list.querySelector('tbody').replaceWith(rows);
  // Only a change of the connection is announced, not each event.
  const state = element('span', { role: 'status' });
  const seenText = element('span', {});
  const note = element('div', {});
  const view = { rows, list, state, seenText, note, isPaused: false, isOpen: false, after: null, seen: 0, waiting: [], frame: undefined };
  const pauseButton = element('button', { type: 'button', 'aria-pressed': 'false', on: { click: () => {
    view.isPaused = !view.isPaused;
    pauseButton.setAttribute('aria-pressed', String(view.isPaused));
    fill(pauseButton, view.isPaused ? 'Go on' : 'Pause');
    if (!view.isPaused) flush(view);
    showState(view);
  } } }, 'Pause');
  view.node = element('div', {}, filterForm(filters), element('div', { class: 'feed-state' }, pauseButton, state, seenText), note, list);
  list.hidden = true;
  return view;
}

function filterForm(filters) {
  const submit = (event) => {
    event.preventDefault();
    location.hash = hashOf('feed', Object.fromEntries(new FormData(event.target)));
  };
  return element('form', { class: 'filters', on: { submit } },
    element('div', {}, element('label', { for: 'feed-customer' }, 'Customer'), element('input', { id: 'feed-customer', name: 'customer_id', value: filters.customer_id, maxlength: 128, autocomplete: 'off' })),
    element('div', {}, element('label', { for: 'feed-type' }, 'Change'), element('select', { id: 'feed-type', name: 'type' },
      element('option', { value: '' }, 'any'), TYPES.map((type) => element('option', { value: type, selected: filters.type === type }, type)))),
    element('div', { class: 'buttons' }, element('button', { class: 'primary' }, 'Show')));
}

// Reads the feed until the signal is aborted. A stream that ends is begun again where it ended.
async function consume(view, filters, signal) {
  const waits = backOff();
  for (;;) {
    try {
      await readStream(view, filters, signal, () => waits.reset());
    } catch (error) {
      if (signal.aborted) throw error;
      view.isOpen = false;
      showState(view);
      if (!(await canGoOn(view, error))) return;
    }
    view.isOpen = false;
    showState(view);
    await pause(waits.next(), signal);
  }
}

// Returns whether another try makes sense after an error, which is shown.
async function canGoOn(view, error) {
  if (!(error instanceof Refused) && !(error instanceof Away)) throw error;
  if (error.status === 410) {
    // The log does not reach back so far any more: go on from its end, and say so.
    view.after = null;
    fill(view.note, element('p', { class: 'note warn' }, 'Some changes are missing here: the log does not keep them any more.'));
    return true;
  }
  fill(view.note, errorNote(error));
  return error instanceof Away || [429, 503].includes(error.status);
}

async function readStream(view, filters, signal, onRead) {
  const parameters = new URLSearchParams(Object.entries(filters).filter(([, value]) => value));
  if (view.after !== null) parameters.set('after', view.after);
  const { response } = await request(`api/v1/changes?${parameters}`, { accept: 'application/x-ndjson', signal, stream: true });
  fill(view.note);
  view.isOpen = true;
  showState(view);
  try {
    for await (const line of linesOf(response.body)) {
      onRead();
      take(view, JSON.parse(line));
    }
  } catch (error) {
    if (signal.aborted || error.name === 'AbortError') throw error;
    throw new Away(error.message);
  }
}

// A line is an event, or a mark that says how far the engine has looked.
function take(view, line) {
  if (line.specversion === undefined) {
    if (Number.isInteger(line.position)) view.after = line.position;
    return;
  }
  view.after = line.data.position;
  view.seen += 1;
  view.waiting.push(line);
  if (view.waiting.length > ROWS_MAX) view.waiting.shift();
  if (!view.isPaused && view.frame === undefined) {
    view.frame = requestAnimationFrame(() => {
      view.frame = undefined;
      flush(view);
    });
  }
  showState(view);
}

function flush(view) {
  if (view.isPaused) return;
  const made = view.waiting.splice(0).reverse().map(rowOf);
  view.rows.prepend(...made);
  while (view.rows.childElementCount > ROWS_MAX) view.rows.lastElementChild.remove();
  view.list.hidden = view.rows.childElementCount === 0;
}

function showState(view) {
  const state = view.isPaused ? ['paused', 'warn'] : view.isOpen ? ['live', 'good'] : ['not connected', 'bad'];
  const text = view.seen === 0 ? 'Nothing has changed since this page was opened.' : `${count(view.seen)} ${view.seen === 1 ? 'change' : 'changes'} since this page was opened${view.seen > ROWS_MAX ? `; the last ${ROWS_MAX} are shown` : ''}.`;
  if (view.state.textContent !== state[0]) fill(view.state, badge(...state));
  fill(view.seenText, text);
}

function rowOf({ type, time: at, data }) {
  const { order, position, message, actor } = data;
  return element('tr', {},
    element('td', { class: 'number' }, count(position)), element('td', {}, time(at)),
    element('td', {}, badge(type.replace('order.', '').replace('_', ' '), KINDS[type]), actor ? [' by ', element('span', { class: 'actor' }, actor)] : null),
    element('td', { class: 'nowrap' }, orderLink(order.order_id), ' ', link(`#/orders/${encodeURIComponent(order.order_id)}?version=${order.version}`, `v${order.version}`)),
    element('td', {}, statusBadge(order.status)), element('td', {}, customerLink(order.customer_id)), element('td', {}, messageLink(message)));
}
