// One capture: its state, its lease, its recorded response; and its release.

import { Away, Refused, findJson, pathOf, request, serverNow } from './api.js';
import { element, fill } from './dom.js';
import { badge, facts, json, link, time, distance, table } from './format.js';
import { errorNote, loadInto } from './loading.js';
import { lookupForm } from './lookup.js';

export const title = 'Captures';

const KEY = /^[A-Za-z0-9_-]{1,1024}$/;
// No encoding leaves one character over.
export const isCaptureKey = (text) => KEY.test(text) && text.length % 4 !== 1;

// Returns the text as base64url without padding, which is how proxies send keys.
export function encodedKey(text) {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

// Returns null also for a key that is not valid base64url after all, which cannot have been allocated.
export const findCapture = (key, signal) => findJson(pathOf('api', 'v2', 'captures', key), { signal, statuses: [404, 422] });

// Returns 'completed', 'allocated' or 'lapsed'.
export function stateOf(capture) {
  if (capture.state === 'completed') return 'completed';
  return capture.lease_ends_at !== null && Date.parse(capture.lease_ends_at) <= serverNow() ? 'lapsed' : 'allocated';
}

export function show(place, { name }, signal) {
  const form = lookupForm({ page: 'captures', label: 'Key', value: name, hint: 'Base64url without padding, as the proxy sends it. Any other text is encoded first.' });
  if (name === '') {
    fill(place, element('h1', {}, 'Captures'), form);
    return;
  }
  const body = element('div', {});
  fill(place, element('h1', {}, 'Capture ', element('span', { class: 'id' }, name)), body);
  const key = isCaptureKey(name) ? name : encodedKey(name);
  if (key !== name) {
    fill(body, element('p', { class: 'note' }, 'This is not base64url. Encoded it is ', link(`#/captures/${key}`, key), '.'), form);
    return;
  }
  const look = () => loadInto(body, signal, () => findCapture(key, signal), (found) => {
    fill(body, found === null ? notFound(key) : content(found, key, look, signal));
  });
  look();
}

function notFound(key) {
  return element('div', { class: 'note', role: 'status' },
    element('p', {}, element('strong', {}, 'This key is not allocated.')),
    element('p', {}, 'It was never allocated, was released, or has expired. The next PUT gets permission to execute.'),
    element('p', {}, 'Does the proxy encode the key? Then it is kept as ', link(`#/captures/${encodedKey(key)}`, encodedKey(key)), '.'));
}

const EXPLAINED = {
  completed: ['good', 'The response is recorded. Every caller gets it.'],
  allocated: ['info', 'One caller has permission to execute. The others get 409 until it records a response, or the lease ends.'],
  lapsed: ['warn', 'The lease has ended without a response. The next PUT takes the allocation over; the first holder may still record.'],
};

function content(capture, key, again, signal) {
  const state = stateOf(capture);
  const [kind, meaning] = EXPLAINED[state];
  const answer = element('div', { 'aria-live': 'polite' });
  return [
    element('p', { class: 'fate' }, badge(state, kind), ' ', meaning),
    facts(['Allocated', time(capture.allocated_at)], ['By', capture.actor],
      state === 'completed' ? null : ['Lease', capture.lease_ends_at === null ? 'without end' : [time(capture.lease_ends_at), ` (${distance(capture.lease_ends_at)})`]],
      ['Kept until', capture.expires_at === null ? 'for ever' : time(capture.expires_at)]),
    capture.response ? recorded(capture.response) : releaseForm(key, answer, again, signal),
    answer,
    element('p', {}, element('button', { type: 'button', on: { click: again } }, 'Look again')),
  ];
}

function recorded(response) {
  return [element('h2', {}, 'Recorded response'),
    element('p', { class: 'line' }, 'Status ', element('code', {}, String(response.response_status))),
    response.response_headers.length > 0 ? table('Headers', [['Header', 'field'], ['Value', '']],
      response.response_headers.map(({ key, value }) => [key, Array.isArray(value) ? value.join('\n') : value])) : null,
    element('h3', {}, 'Body'), bodyOf(response.response_body)];
}

function bodyOf(text) {
  if (text === '') return element('p', { class: 'empty' }, 'None.');
  try {
    return json(JSON.parse(text), 'Recorded body');
  } catch {
    return element('pre', { class: 'json', tabindex: '0', role: 'region', 'aria-label': 'Recorded body' }, text);
  }
}

function releaseForm(key, answer, again, signal) {
  const confirmed = element('input', { type: 'checkbox', id: 'not-executed', required: true });
  const submit = async (event) => {
    event.preventDefault();
    fill(answer, element('p', {}, 'Releasing…'));
    try {
      await request(pathOf('api', 'v2', 'captures', key), { method: 'DELETE', signal });
      again();
    } catch (error) {
      if (error.name !== 'AbortError') fill(answer, refusal(error));
    }
  };
  return element('form', { class: 'release', on: { submit } },
    element('h2', {}, 'Release'),
    element('p', {}, 'For a request that is not being executed any more: the next caller may execute it.'),
    element('div', { class: 'row' }, confirmed, element('label', { for: 'not-executed' }, 'The request is not being executed')),
    element('button', { class: 'danger' }, 'Release'));
}

function refusal(error) {
  if (error instanceof Away) return element('p', { class: 'note warn' }, 'The engine is away. Whether it released the key is not known: look again when it is back.');
  if (!(error instanceof Refused)) throw error;
  if (error.status === 404) return element('p', { class: 'note' }, 'It is not allocated any more.');
  if (error.status === 403 && error.slug === null && !error.problem.scope) {
    return element('p', { class: 'note bad' }, 'Not released: a response was recorded meanwhile, or another identity holds the allocation. Only the identity that allocated it can release it.');
  }
  return errorNote(error);
}
