// Reads the Prometheus text format, and makes the figures of the page "Now" out of two readings. Pure functions.

// Returns { name: [{ labels, value }, ...] }.
export function parseMetrics(text) {
  const found = {};
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const parts = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ([-+.\dEeInf]+)(?: |$)/.exec(line);
    if (parts === null) continue;
    const [, name, labels = '', value] = parts;
    (found[name] ??= []).push({ labels: labelsOf(labels), value: Number(value.replace('Inf', 'Infinity')) });
  }
  return found;
}

function labelsOf(text) {
  const labels = {};
  for (const [, name, value] of text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
    labels[name] = value.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c));
  }
  return labels;
}

const sum = (samples, accepts = () => true) => (samples ?? []).filter(({ labels }) => accepts(labels)).reduce((total, { value }) => total + value, 0);
const valueOf = (samples) => samples?.[0]?.value ?? null;

// The sums of a histogram's buckets by their bound, over the series that are accepted.
function bucketsOf(samples, accepts = () => true) {
  const buckets = new Map();
  for (const { labels, value } of samples ?? []) {
    if (!accepts(labels)) continue;
    const bound = labels.le === '+Inf' ? Infinity : Number(labels.le);
    buckets.set(bound, (buckets.get(bound) ?? 0) + value);
  }
  return buckets;
}

const ACCEPTED = ['order_created', 'content_changed', 'status_changed'];
const ofApi = ({ route }) => route.startsWith('/api/');

// Returns what is kept of one reading: counters, gauges and buckets.
export function reading(metrics, at) {
  return {
    at,
    writes: sum(metrics.ordem_messages_executed_total, ({ verdict }) => ACCEPTED.includes(verdict)),
    rejections: sum(metrics.ordem_messages_executed_total, ({ verdict }) => !ACCEPTED.includes(verdict)),
    replays: sum(metrics.ordem_messages_replayed_total) + sum(metrics.ordem_messages_joined_total),
    reads: sum(metrics.ordem_http_requests_total, ({ route, method }) => ofApi({ route }) && (method === 'GET' || method === 'HEAD')),
    problems: Object.fromEntries((metrics.ordem_http_problems_total ?? []).map(({ labels, value }) =>
      [labels.problem, value + sum(metrics.ordem_http_batch_line_problems_total, ({ problem }) => problem === labels.problem)])),
    latency: bucketsOf(metrics.ordem_http_response_seconds_bucket, ofApi),
    commit: bucketsOf(metrics.ordem_commit_seconds_bucket),
    inFlight: valueOf(metrics.ordem_messages_in_flight),
    position: valueOf(metrics.ordem_log_position),
    connections: valueOf(metrics.ordem_http_connections),
    orders: valueOf(metrics.ordem_store_orders),
    diskFree: valueOf(metrics.ordem_disk_available_bytes),
    diskSize: valueOf(metrics.ordem_disk_size_bytes),
    memory: valueOf(metrics.process_resident_memory_bytes),
    startedAt: valueOf(metrics.process_start_time_seconds),
    version: metrics.ordem_build_info?.[0]?.labels.version ?? null,
    postgres: metrics.ordem_postgres_connected === undefined ? null : {
      connected: valueOf(metrics.ordem_postgres_connected) === 1,
      lagSeconds: valueOf(metrics.ordem_postgres_lag_seconds),
      lagEntries: valueOf(metrics.ordem_postgres_lag_entries),
      position: valueOf(metrics.ordem_postgres_position),
      backlogBytes: valueOf(metrics.ordem_postgres_backlog_bytes),
    },
  };
}

// Returns the value below which the share `q` of what was counted between two readings lies, by linear interpolation in its bucket;
// null if nothing was counted.
export function quantile(before, after, q) {
  const bounds = [...after.keys()].sort((a, b) => a - b);
  const counts = bounds.map((bound) => after.get(bound) - (before.get(bound) ?? 0));
  const total = counts.at(-1) ?? 0;
  if (!(total > 0)) return null;
  const rank = q * total;
  const at = counts.findIndex((n) => n >= rank);
  const low = at === 0 ? 0 : bounds[at - 1];
  if (bounds[at] === Infinity) return low;
  const below = at === 0 ? 0 : counts[at - 1];
  return low + (bounds[at] - low) * ((rank - below) / (counts[at] - below));
}

// Refusals that the engine or its guards make, apart from errors of what a request says.
const REFUSALS = ['overloaded', 'persistence-behind', 'no-owner', 'read-only', 'recovering', 'draining', 'storage-failed', 'rate-limited', 'too-many-connections'];
export const isOfEngine = (slug) => REFUSALS.includes(slug);

// Returns the figures for the time between two readings, or null if the server was started anew between them.
export function figuresBetween(before, after) {
  const by = (after.at - before.at) / 1000;
  if (!(by > 0) || before.startedAt !== after.startedAt) return null;
  const rate = (name) => Math.max(0, after[name] - before[name]) / by;
  const problems = Object.entries(after.problems).map(([slug, n]) => [slug, Math.max(0, n - (before.problems[slug] ?? 0)) / by])
    .filter(([, perSecond]) => perSecond > 0);
  return {
    at: after.at,
    writes: rate('writes'),
    rejections: rate('rejections'),
    replays: rate('replays'),
    reads: rate('reads'),
    refusals: problems.reduce((total, [, perSecond]) => total + perSecond, 0),
    problems: Object.fromEntries(problems),
    latency50: quantile(before.latency, after.latency, 0.5),
    latency99: quantile(before.latency, after.latency, 0.99),
    commit50: quantile(before.commit, after.commit, 0.5),
    commit99: quantile(before.commit, after.commit, 0.99),
    lagSeconds: after.postgres?.lagSeconds ?? null,
    lagEntries: after.postgres?.lagEntries ?? null,
    inFlight: after.inFlight,
  };
}
