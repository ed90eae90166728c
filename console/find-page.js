// What a text names: an order, a message, a capture. All are asked at once.

import { Away, Refused, findJson, pathOf } from './api.js';
import { encodedKey, findCapture, isCaptureKey, stateOf } from './captures-page.js';
import { element, fill } from './dom.js';
import { badge, link, messageLink, orderLink, statusBadge, time } from './format.js';
import { errorNote, loadInto } from './loading.js';
import { fateOf, findMessage } from './message-page.js';

export const title = 'Find';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const GUID = /^[\x21-\x7e]{1,255}$/;

// Returns the look-ups that make sense for a text: [what is looked for, load, show].
function lookups(text, signal) {
  const made = [];
  if (UUID.test(text)) {
    made.push(['an order', () => findJson(pathOf('api', 'v1', 'orders', text.toLowerCase()), { signal, slugs: ['order-not-found'] }), orderCard]);
  }
  if (GUID.test(text)) made.push(['a message', () => findMessage(text, signal), messageCard]);
  const keys = [isCaptureKey(text) ? text : null, encodedKey(text)].filter((key) => key !== null && key.length <= 1024);
  for (const key of keys) made.push([key === text ? 'a capture' : 'a capture with the encoded key', () => findCapture(key, signal), captureCard]);
  made.push(['an external id', () => findByExternalId(text, signal), externalCard]);
  return made;
}

async function findByExternalId(text, signal) {
  const found = await findJson(`api/v1/orders?${new URLSearchParams({ external_id: text, limit: 10 })}`, { signal, slugs: ['malformed-query'] });
  return found === null || found.orders.length === 0 ? null : found;
}

export function show(place, { name }, signal) {
  const body = element('div', {});
  fill(place, element('h1', {}, 'Find ', element('span', { class: 'id' }, name)), body);
  const wanted = lookups(name, signal);
  loadInto(body, signal, () => Promise.all(wanted.map(async ([what, load, card]) => {
    try {
      return { what, card, found: await load() };
    } catch (error) {
      // One scope may be missing, while the others answer. A missing identity and an engine that is away concern all of them.
      if (error instanceof Away || !(error instanceof Refused) || [401, 429, 503].includes(error.status)) throw error;
      return { what, error };
    }
  })), (results) => fill(body, content(results)));
}

function content(results) {
  const found = results.filter((each) => each.found);
  const failed = results.filter((each) => each.error);
  return [
    found.length > 0
      ? element('ul', { class: 'cards' }, found.map((each) => element('li', { class: 'card' }, each.card(each.found))))
      : element('div', { class: 'note', role: 'status' }, element('p', {}, element('strong', {}, 'Nothing found.')),
        element('p', {}, `Looked for ${results.filter((each) => !each.error).map(({ what }) => what).join(', ')}. Messages and captures are kept for a time only, 24 h by default; orders are kept. `,
          link('#/messages', 'What a GUID that is not found means'), '.')),
    failed.map(({ what, error }) => [element('h2', {}, `Not looked for: ${what}`), errorNote(error)]),
  ];
}

const orderCard = ({ order }) => [element('h2', {}, 'Order ', orderLink(order.order_id)),
  element('p', {}, statusBadge(order.status), ` version ${order.version}, of `, element('q', {}, order.customer_id), ', last changed ', time(order.updated_at))];

function messageCard(message) {
  const [kind, fate] = fateOf(message);
  return [element('h2', {}, 'Message ', messageLink(message.guid)),
    element('p', {}, badge(kind === 'good' ? 'executed' : 'rejected', kind), ` ${fate}, `, time(message.created_at), '. Order ', orderLink(message.order_id))];
}

const captureCard = (capture) => [element('h2', {}, 'Capture ', element('a', { class: 'id', href: `#/captures/${capture.idempotency_key}` }, capture.idempotency_key)),
  element('p', {}, badge(stateOf(capture), stateOf(capture) === 'completed' ? 'good' : 'info'), ' allocated ', time(capture.allocated_at))];

const externalCard = ({ orders }) => [element('h2', {}, 'External id'),
  element('ul', {}, orders.map((order) => element('li', {}, orderLink(order.order_id), ' ', statusBadge(order.status), ' ', time(order.created_at))))];
