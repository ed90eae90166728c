// The modules of the console that need no browser.

import assert from 'node:assert/strict';
import test from 'node:test';
import { verdictOf } from '../../console/banner.js';
import { axisMax, pathOf } from '../../console/chart.js';
import { changesBetween } from '../../console/diff.js';
import { linesOf } from '../../console/lines.js';
import { figuresBetween, parseMetrics, quantile, reading } from '../../console/metrics.js';
import { hashOf, routeOf } from '../../console/router.js';

const plain = (amount, currency) => `${amount} ${currency}`;

test('metrics are read with their labels, of which a value may have quotes, braces and line ends', () => {
  const read = parseMetrics('# HELP a A.\na 1\nb{x="1",y="} \\"q\\" \\\\ \\n,"} 2.5e3\n\nc{le="+Inf"} 3 1700000000000\nbroken line\n');
  assert.deepEqual(read, {
    a: [{ labels: {}, value: 1 }],
    b: [{ labels: { x: '1', y: '} "q" \\ \n,' }, value: 2500 }],
    c: [{ labels: { le: '+Inf' }, value: 3 }],
  });
});

const metricsAt = (n) => parseMetrics([
  `ordem_messages_executed_total{verdict="order_created"} ${10 * n}`,
  `ordem_messages_executed_total{verdict="stale_version"} ${2 * n}`,
  `ordem_messages_replayed_total ${3 * n}`,
  `ordem_messages_joined_total ${n}`,
  `ordem_http_problems_total{problem="overloaded"} ${4 * n}`,
  'ordem_http_problems_total{problem="not-found"} 7',
  `ordem_http_batch_line_problems_total{problem="overloaded"} ${n}`,
  `ordem_http_requests_total{route="/api/v1/orders/{id}",method="GET",status="200"} ${5 * n}`,
  `ordem_http_requests_total{route="/metrics",method="GET",status="200"} ${100 * n}`,
  `ordem_commit_seconds_bucket{le="0.001"} ${50 * n}`,
  `ordem_commit_seconds_bucket{le="0.002"} ${100 * n}`,
  `ordem_commit_seconds_bucket{le="+Inf"} ${100 * n}`,
  'process_start_time_seconds 1000',
].join('\n'));

test('figures are rates between two readings', () => {
  const figures = figuresBetween(reading(metricsAt(1), 1000), reading(metricsAt(2), 3000));
  assert.equal(figures.writes, 5);
  assert.equal(figures.rejections, 1);
  assert.equal(figures.replays, 2);
  assert.equal(figures.reads, 2.5);
  assert.deepEqual(figures.problems, { overloaded: 2.5 });
  assert.equal(figures.refusals, 2.5);
  assert.equal(figures.commit50, 0.001);
  assert.ok(Math.abs(figures.commit99 - 0.00198) < 1e-9);
  assert.equal(figures.lagSeconds, null);
});

test('there are no figures over a restart', () => {
  const before = reading(metricsAt(2), 1000);
  assert.equal(figuresBetween(before, { ...reading(metricsAt(1), 2000), startedAt: 1001 }), null);
  assert.equal(figuresBetween(before, before), null);
});

test('a quantile of nothing is null, and one in the last bucket is its lower bound', () => {
  const none = new Map([[1, 5], [Infinity, 5]]);
  assert.equal(quantile(none, none, 0.5), null);
  assert.equal(quantile(new Map(), new Map([[1, 0], [Infinity, 4]]), 0.5), 1);
});

test('the lag of Postgres is null while it is unknown, and there is none without Postgres', () => {
  assert.equal(reading(parseMetrics(''), 0).postgres, null);
  const unknown = reading(parseMetrics('ordem_postgres_connected 0\n'), 0).postgres;
  assert.equal(unknown.connected, false);
  assert.equal(unknown.lagSeconds, null);
});

test('changes of an order, item by item and member by member', () => {
  const before = { version: 1, status: 'new', currency: 'EUR', total: 4, items: [{ sku: 'a', quantity: 1, unit_price: 1 }, { sku: 'b', quantity: 1, unit_price: 3 }],
    attributes: { deep: { x: 1, y: [1] }, gone: null } };
  const after = { version: 2, status: 'new', currency: 'EUR', total: 6, items: [{ sku: 'b', quantity: 2, unit_price: 3 }], attributes: { deep: { x: 2, y: [1] }, made: {} } };
  assert.deepEqual(changesBetween(before, after, plain), [
    ['total', '4 EUR', '6 EUR'],
    ['item a', '1 × 1 EUR', undefined],
    ['item b', '1 × 3 EUR', '2 × 3 EUR'],
    ['attributes.deep.x', 1, 2],
    ['attributes.gone', null, undefined],
    ['attributes.made', undefined, {}],
  ]);
  assert.deepEqual(changesBetween(before, before, plain), []);
});

test('items whose sku occurs twice are compared by their place', () => {
  const of = (quantity) => ({ currency: 'EUR', items: [{ sku: 'a', quantity: 1, unit_price: 1 }, { sku: 'a', quantity, unit_price: 1 }] });
  assert.deepEqual(changesBetween(of(1), of(2), plain), [['item 2', 'a: 1 × 1 EUR', 'a: 2 × 1 EUR']]);
});

test('routes of the address', () => {
  const parts = (hash) => {
    const { page, name, query } = routeOf(hash);
    return [page, name, String(query)];
  };
  assert.deepEqual(parts(''), ['now', '', '']);
  assert.deepEqual(parts('#/orders/a%2Fb?version=3'), ['orders', 'a/b', 'version=3']);
  assert.deepEqual(parts('#/messages/100%'), ['messages', '100%', '']);
  assert.equal(hashOf('search', { status: 'new', customer_id: '' }), '#/search?status=new');
  assert.equal(hashOf('search', {}), '#/search');
});

test('a GUID with any characters comes back from its address', () => {
  for (const guid of ['a/b?c#d%20e', '"quoted"', '<script>']) assert.equal(routeOf(`#/messages/${encodeURIComponent(guid)}`).name, guid);
});

test('axes have round bounds, and lines have gaps', () => {
  assert.deepEqual([0, null, 0.3, 1, 3, 7, 12].map(axisMax), [1, 1, 0.5, 1, 5, 10, 20]);
  assert.equal(pathOf([[0, 1], [1000, null], [2000, 2], [3000, 2]], 2, 3000), 'M0.0 55.0M240.0 0.0L360.0 0.0');
  assert.equal(pathOf([[0, 0], [9000, 0]], 1, 9000), 'M0.0 110.0M360.0 110.0');
  assert.equal(pathOf([], 1, 9000), '');
});

test('lines of a stream in pieces', async () => {
  const bytes = new TextEncoder().encode('{"a":"é"}\n\n{"b":1}\nrest');
  const body = new ReadableStream({
    start(to) {
      for (const byte of bytes) to.enqueue(Uint8Array.of(byte));
      to.close();
    },
  });
  const lines = [];
  for await (const line of linesOf(body)) lines.push(line);
  assert.deepEqual(lines, ['{"a":"é"}', '{"b":1}']);
});

const known = (changes) => ({ contact: 'here', ready: { status: 'ready' }, state: null, stateRefusal: null, last: { postgres: null, diskFree: null }, figures: [], ...changes });
const behind = { connected: true, lagSeconds: 90, lagEntries: 5000, backlogBytes: 10 * 1024 ** 3 };

test('the state of the engine in one line, the worst first', () => {
  assert.equal(verdictOf(known({ contact: 'away' })).title, 'The engine is away');
  assert.equal(verdictOf(known({ contact: 'starting' })).kind, 'plain');
  assert.equal(verdictOf(known({ ready: { status: 'recovering', reason: 'the data is being read' } })).why, 'The data is being read.');
  assert.equal(verdictOf(known({ ready: { status: 'draining' } })).problem, 'draining');
  assert.equal(verdictOf(known({ ready: { status: 'no-owner', reason: 'this node knows no owner of the log' } })).kind, 'bad');
  assert.deepEqual(verdictOf(known({})), { kind: 'good', title: 'Ready', why: 'Writes and reads are served.' });
  for (const [status, words] of [[401, /Sign in/], [403, /lacks the scope operations/], [null, /log has the reason/]]) {
    const verdict = verdictOf(known({ ready: { status: 'read-only' }, stateRefusal: status }));
    assert.equal(verdict.kind, 'bad');
    assert.match(verdict.why, words);
  }
});

test('writes that are refused because Postgres is behind come before the lag itself, and end with the refusals', () => {
  const refused = verdictOf(known({ last: { postgres: behind }, figures: [{ problems: { 'persistence-behind': 4 } }, { problems: {} }] }));
  assert.equal(refused.kind, 'bad');
  assert.equal(refused.problem, 'persistence-behind');
  assert.match(refused.why, /^2\.0 requests a second.*lacks 5,000 entries \(10 GiB of log\), the oldest for 90 s\.$/);
  const old = Array.from({ length: 10 }, () => ({ problems: {} }));
  const lag = verdictOf(known({ last: { postgres: behind }, figures: [{ problems: { 'persistence-behind': 4 } }, ...old] }));
  assert.equal(lag.title, 'Postgres is behind by 90 s');
  assert.equal(verdictOf(known({ last: { postgres: { ...behind, lagSeconds: 1 } } })).kind, 'good');
  assert.equal(verdictOf(known({ figures: [{ problems: { overloaded: 1, 'not-found': 5 } }] })).problem, 'overloaded');
});
