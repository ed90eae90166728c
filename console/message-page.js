// One message: whether its GUID was executed, what was asked, and what was answered.

import { findJson, pathOf } from './api.js';
import { element, fill } from './dom.js';
import { badge, facts, json, orderLink, link, time } from './format.js';
import { loadInto } from './loading.js';
import { lookupForm } from './lookup.js';

export const title = 'Message';

export function show(place, { name }, signal) {
  if (name === '') {
    fill(place, element('h1', {}, 'Message'), lookupForm({ page: 'messages', label: 'GUID', hint: 'The Idempotency-Key of the request, without quotes. Upper and lower case differ.' }));
    return;
  }
  const body = element('div', {});
  fill(place, element('h1', {}, 'Message ', element('span', { class: 'id' }, name)), body);
  loadInto(body, signal, () => findMessage(name, signal), (found) => fill(body, found === null ? notFound() : content(found)));
}

export const findMessage = (guid, signal) => findJson(pathOf('api', 'v1', 'messages', guid), { signal, slugs: ['message-not-found'] });

// Returns [kind, text]: what became of the message.
export function fateOf({ response, version }) {
  if (version === 1) return ['good', 'Executed: it created the order'];
  if (version !== null) return ['good', `Executed: it made version ${version}`];
  return ['bad', `Rejected with code ${response.code}: ${response.body.title ?? 'an error'}`];
}

function content(message) {
  const [kind, fate] = fateOf(message);
  return [
    element('p', { class: 'fate' }, badge(kind === 'good' ? 'executed' : 'rejected', kind), ' ', fate, '. A repeat with this GUID gets the same answer, and executes nothing.'),
    message.version === null && message.response.body.detail ? element('p', {}, element('q', {}, message.response.body.detail)) : null,
    facts(['Order', orderLink(message.order_id)],
      ['Version', message.version === null ? 'none was made' : link(`#/orders/${encodeURIComponent(message.order_id)}?version=${message.version}`, String(message.version))],
      ['Executed', time(message.created_at)], ['Kept until', time(message.expires_at)], ['By', message.actor]),
    element('div', { class: 'columns' },
      element('section', { 'aria-labelledby': 'request' }, element('h2', { id: 'request' }, 'Request'),
        element('p', { class: 'line' }, element('code', {}, `${message.request.method} ${message.request.path}`)), json(message.request.body, 'Body of the request')),
      element('section', { 'aria-labelledby': 'response' }, element('h2', { id: 'response' }, 'Response'),
        element('p', { class: 'line' }, element('code', {}, `${message.response.status}`), message.response.code === message.response.status ? null : [', code ', element('code', {}, String(message.response.code))]),
        json(message.response.body, 'Body of the response'))),
  ];
}

function notFound() {
  return element('div', { class: 'note', role: 'status' },
    element('p', {}, element('strong', {}, 'No message with this GUID is kept.')),
    element('p', {}, 'One of these holds:'),
    element('ul', {},
      element('li', {}, 'It never arrived here, or was sent by another tenant.'),
      element('li', {}, 'Its answer was an error that is not recorded (400, 404, 413, 415, 422, 428, 429 or 503): nothing was executed.'),
      element('li', {}, 'It is being executed at this moment.'),
      element('li', {}, 'It was executed longer ago than the setting message-ttl keeps messages. The order itself is kept.')),
    element('p', {}, 'A request with this GUID would be executed now.'));
}
