// What the engine does now: rates, latencies, refusals, and how far Postgres is behind.

import { lagText } from './banner.js';
import { chart } from './chart.js';
import { element, fill } from './dom.js';
import { count, figure, link, seconds, table } from './format.js';
import { errorNote } from './loading.js';
import { Refused, problemLink } from './api.js';
import { isOfEngine } from './metrics.js';
import { FIGURES_MS, monitor } from './monitor.js';

const perSecond = (value) => (value === null ? '–' : `${figure(value)}/s`);
const MINUTES = Math.round(FIGURES_MS / 60_000);

export const title = 'Now';

export function show(place, _route, signal) {
  const charts = [
    chart({ title: 'Requests', lines: [{ name: 'writes', of: (f) => f.writes }, { name: 'replays', of: (f) => f.replays }, { name: 'reads', of: (f) => f.reads }], show: perSecond, span: FIGURES_MS }),
    chart({ title: 'Refused and rejected', lines: [{ name: 'refused', of: (f) => f.refusals }, { name: 'rejected', of: (f) => f.rejections }], show: perSecond, span: FIGURES_MS,
      note: 'rejected: e.g. out of date' }),
    chart({ title: 'Response time', lines: [{ name: 'median', of: (f) => f.latency50 }, { name: '99 %', of: (f) => f.latency99 }], show: seconds, span: FIGURES_MS, note: 'in the engine' }),
    chart({ title: 'Commit', lines: [{ name: 'median', of: (f) => f.commit50 }, { name: '99 %', of: (f) => f.commit99 }], show: seconds, span: FIGURES_MS, note: 'a sync of the log' }),
    chart({ title: 'In flight', lines: [{ name: 'messages', of: (f) => f.inFlight }], show: figure, span: FIGURES_MS, note: 'submitted, not answered' }),
  ];
  const lag = chart({ title: 'Postgres behind', lines: [{ name: 'age', of: (f) => f.lagSeconds }], show: seconds, span: FIGURES_MS });
  const tiles = element('div', { class: 'tiles' });
  const refusals = element('section', { 'aria-labelledby': 'refusals-title' });
  const postgres = element('div', { class: 'chart-place' });
  const body = element('div', {}, tiles, element('div', { class: 'charts' }, charts.map(({ node }) => node), postgres), refusals);
  const heading = element('h1', {}, 'Now');
  const note = element('div', {});
  fill(place, heading, note, body);

  const update = () => {
    body.hidden = monitor.last === null;
    fill(note, noteOf(monitor));
    if (monitor.last === null) return;
    const { last, figures } = monitor;
    const now = figures.at(-1);
    fill(tiles,
      tile('Writes', perSecond(now?.writes ?? null)), tile('Replays', perSecond(now?.replays ?? null)), tile('Refused', perSecond(now?.refusals ?? null)),
      tile('Response, 99 %', seconds(now?.latency99)), tile('Commit, 99 %', seconds(now?.commit99)),
      tile('In flight', last.inFlight === null ? '–' : count(last.inFlight)), tile('Log position', last.position === null ? '–' : count(last.position)),
      tile('Postgres behind', last.postgres === null ? 'none' : seconds(last.postgres.lagSeconds)));
    for (const each of charts) each.update(figures);
    if (last.postgres) {
      lag.update(figures);
      if (!postgres.contains(lag.node)) fill(postgres, lag.node);
      postgres.dataset.text = lagText(last.postgres);
    } else if (!postgres.firstChild) {
      fill(postgres, element('figure', { class: 'chart empty' }, element('figcaption', {}, 'Postgres behind'),
        element('p', {}, 'The log is not replicated to Postgres: no ', element('code', {}, '--postgres-url'), '.')));
    }
    fill(refusals, refusalTable(figures));
  };
  monitor.addEventListener('update', update, { signal });
  update();
}

function noteOf({ contact, metricsRefusal, last }) {
  if (metricsRefusal !== null) return errorNote(new Refused(metricsRefusal, metricsRefusal === 403 ? { scope: 'operations' } : {}));
  if (contact === 'away' && last !== null) return element('p', { class: 'note warn' }, 'The figures are those from before the engine went away.');
  return last === null ? element('p', { class: 'note', role: 'status' }, 'Waiting for the first figures…') : null;
}

const tile = (name, value) => element('div', { class: 'tile' }, element('span', {}, name), element('b', {}, value));

function refusalTable(figures) {
  const totals = {};
  for (const each of figures) {
    for (const [slug, rate] of Object.entries(each.problems)) totals[slug] = (totals[slug] ?? 0) + rate;
  }
  const rows = Object.entries(totals).sort(([, a], [, b]) => b - a);
  const heading = element('h2', { id: 'refusals-title' }, `Refusals of the last ${MINUTES} min, by reason`);
  if (rows.length === 0) return [heading, element('p', { class: 'empty' }, 'None.')];
  return [heading, table('Refusals by reason', [['Reason', ''], ['By', ''], ['Now', 'number'], ['In all', 'number']],
    rows.map(([slug, total]) => [link(problemLink(slug), slug), isOfEngine(slug) ? 'the engine’s state' : 'the request',
      perSecond(figures.at(-1)?.problems[slug] ?? 0), `about ${count(total)}`]))];
}
