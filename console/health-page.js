// Whether the engine is well: its state, the positions of its log, what your key may do, and the settings in effect.

import { getJson } from './api.js';
import { lagText } from './banner.js';
import { element, fill } from './dom.js';
import { badge, bytes, count, facts, table, time } from './format.js';
import { loadInto, pause } from './loading.js';
import { monitor } from './monitor.js';
import { checkScopes } from './sign-in.js';

const POSITIONS_MS = 2000;

export const title = 'Health';

export function show(place, _route, signal) {
  const state = element('div', {});
  const positions = element('div', {});
  const access = element('div', {});
  const settings = element('div', {});
  fill(place, element('h1', {}, 'Health'),
    element('div', { class: 'columns' },
      element('section', { 'aria-labelledby': 'state-title' }, element('h2', { id: 'state-title' }, 'State'), state),
      element('section', { 'aria-labelledby': 'log-title' }, element('h2', { id: 'log-title' }, 'Log'), positions)),
    element('section', { 'aria-labelledby': 'access-title' }, element('h2', { id: 'access-title' }, 'What you may read here'), access),
    element('section', { 'aria-labelledby': 'settings-title' }, element('h2', { id: 'settings-title' }, 'Settings in effect'), settings));

  const update = () => fill(state, stateFacts(monitor));
  monitor.addEventListener('update', update, { signal });
  update();
  watchPositions(positions, signal);
  loadInto(access, signal, () => checkScopes(signal), (scopes) => fill(access, scopeTable(scopes)));
  loadInto(settings, signal, () => getJson('-/settings', { signal }), (found) => fill(settings, settingTable(found)));
}

function stateFacts({ contact, ready, state, last }) {
  const status = contact === 'away' ? badge('away', 'bad') : badge(ready?.status ?? 'unknown', ready?.status === 'ready' ? 'good' : 'warn');
  const failure = (what) => (what ? [time(what.since), ': ', element('q', {}, what.reason)] : null);
  const startedAt = state?.started_at ?? (last?.startedAt ? new Date(last.startedAt * 1000).toISOString() : null);
  return facts(['Status', status], ['Reason', ready?.reason], ['Version', state?.version ?? last?.version],
    ['Started', startedAt ? time(startedAt) : null],
    ['Writes fail since', failure(state?.write_failure)], ['Postgres fails since', failure(state?.postgres?.failure)],
    ['Orders, about', last?.orders === null || last === null ? null : count(last.orders)],
    ['Connections', last?.connections === null || last === null ? null : count(last.connections)],
    ['Memory', last?.memory ? bytes(last.memory) : null],
    ['Disk', last?.diskFree ? `${bytes(last.diskFree)} free of ${bytes(last.diskSize)}` : null]);
}

function watchPositions(place, signal) {
  const show = (found) => {
    fill(place, positionFacts(found));
    pause(POSITIONS_MS, signal).then(refresh, () => {});
  };
  const load = () => loadInto(place, signal, () => getJson('-/position', { signal }), show);
  // Later readings replace the first one without a note in between; if one fails, the page says so.
  const refresh = () => getJson('-/position', { signal }).then(show, (error) => {
    if (error.name !== 'AbortError') load();
  });
  load();
}

function positionFacts({ decided, durable, persisted }) {
  const postgres = monitor.last?.postgres;
  return [facts(['Decided', count(decided)], ['Durable', count(durable)],
    ['In Postgres', persisted === null ? (postgres ? 'not known yet' : 'no Postgres') : count(persisted)]),
  postgres ? element('p', {}, lagText(postgres)) : null];
}

const ACCESS = { granted: 'good', missing: 'bad', unauthenticated: 'warn', 'not served': 'plain', away: 'warn' };
const scopeTable = (scopes) => table('Scopes', [['Scope', 'field'], ['For', ''], ['You', '']],
  scopes.map(([scope, use, access]) => [element('code', {}, scope), use, badge(access === 'unauthenticated' ? 'sign in' : access, ACCESS[access])]));

function settingTable({ version, settings }) {
  const shown = table('Settings', [['Setting', 'field'], ['Value', '']], settings.map(({ name, value }) => [element('code', {}, `--${name}`), value === '' ? element('span', { class: 'none' }, 'not set') : value]));
  const filter = element('input', { id: 'setting-filter', type: 'search', autocomplete: 'off', on: { input: () => {
    const rows = shown.querySelectorAll('tbody tr');
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(filter.value.toLowerCase());
  } } });
  return [element('p', {}, `Ordem ${version}. Passwords are masked. Settings change with a restart.`),
    element('div', { class: 'row' }, element('label', { for: 'setting-filter' }, 'Filter'), filter), shown];
}
