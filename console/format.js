// Values as texts and small elements.

import { element } from './dom.js';
import { serverNow } from './api.js';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

export const count = (n) => whole.format(n);

// A rate, or any number of which three digits matter.
export function figure(n) {
  if (n === null || n === undefined || Number.isNaN(n)) return '–';
  return Math.abs(n) >= 1000 ? whole.format(n) : short.format(n);
}

export function seconds(s) {
  if (s === null || s === undefined || Number.isNaN(s)) return '–';
  if (s === 0) return '0 s';
  if (s < 0.001) return `${short.format(s * 1e6)} µs`;
  if (s < 1) return `${short.format(s * 1e3)} ms`;
  if (s < 120) return `${short.format(s)} s`;
  if (s < 7200) return `${short.format(s / 60)} min`;
  if (s < 172_800) return `${short.format(s / 3600)} h`;
  return `${short.format(s / 86_400)} d`;
}

export function bytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let at = 0;
  let left = n;
  while (left >= 1024 && at < units.length - 1) {
    left /= 1024;
    at += 1;
  }
  return `${short.format(left)} ${units[at]}`;
}

// An RFC 3339 time in UTC as the API has it, with the time since then.
export function time(text) {
  if (!text) return '–';
  const shown = text.replace('T', ' ').replace(/Z$/, '');
  return element('time', { datetime: text, title: distance(text) }, shown);
}

// "3 min ago", "in 20 s".
export function distance(text) {
  const by = (Date.parse(text) - serverNow()) / 1000;
  return by < 0 ? `${seconds(Math.round(-by) || 1)} ago` : `in ${seconds(Math.round(by) || 1)}`;
}

// Minor units with their currency, whose number of decimals the browser knows.
export function money(minor, currency) {
  try {
    const format = new Intl.NumberFormat('en', { style: 'currency', currency, currencyDisplay: 'code' });
    return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
  } catch {
    return `${minor} ${currency}`;
  }
}

// JSON in a box that scrolls; `label` names it for screen readers.
export const json = (value, label) => element('pre', { class: 'json', tabindex: '0', role: 'region', 'aria-label': label }, JSON.stringify(value, null, 2));

export const badge = (text, kind = 'plain') => element('span', { class: `badge ${kind}` }, text);

const statusKinds = { new: 'info', confirmed: 'info', shipped: 'good', delivered: 'good', cancelled: 'bad' };
export const statusBadge = (status) => badge(status, statusKinds[status] ?? 'plain');

// A definition list: [name, value] pairs; a value of null leaves its row out.
export function facts(...rows) {
  return element('dl', { class: 'facts' }, rows.filter((row) => row && row[1] !== null && row[1] !== undefined)
    .map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))));
}

export const link = (href, ...text) => element('a', { href }, ...text);
export const orderLink = (id) => element('a', { class: 'id', href: `#/orders/${encodeURIComponent(id)}` }, id);
export const messageLink = (guid) => element('a', { class: 'id', href: `#/messages/${encodeURIComponent(guid)}` }, guid);
export const customerLink = (id) => link(`#/search?customer_id=${encodeURIComponent(id)}`, id);

// A table that scrolls sideways where it does not fit. `columns` are [title, class] pairs; rows are lists of cells.
export function table(caption, columns, rows) {
  return element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption },
    element('table', {},
      element('caption', { class: 'hidden' }, caption),
      element('thead', {}, element('tr', {}, columns.map(([title, kind]) => element('th', { scope: 'col', class: kind }, title)))),
      element('tbody', {}, rows.map((cells) => element('tr', {}, cells.map((cell, at) => element('td', { class: columns[at][1] }, cell)))))));
}
