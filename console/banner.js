// What the engine's state is, why, and what to do about it.

import { problemLink } from './api.js';
import { element, fill } from './dom.js';
import { bytes, count, seconds, time } from './format.js';
import { monitor } from './monitor.js';

// Refusals of the last readings are shown for so many of them.
const RECENT = 10;
// Postgres is called behind from here on; less is the time that batches take.
const LAG_S = 5;

// Returns { kind: 'good' | 'warn' | 'bad' | 'plain', title, why, advice, problem } for what the monitor knows. `why` and `advice` are
// nodes or texts, or null; `problem` is the slug of a page that explains it, or null.
export function verdictOf(known) {
  if (known.contact === 'starting') return { kind: 'plain', title: 'Asking the engine…' };
  if (known.contact === 'away') {
    return {
      kind: 'bad',
      title: 'The engine is away',
      why: 'Nothing answers at this address. The console tries again and goes on by itself.',
      advice: 'Is the process running? The last line of its log says why it stopped.',
    };
  }
  const made = verdictOfState(known);
  return made ?? verdictOfRefusals(known) ?? verdictOfPostgres(known) ??
    { kind: 'good', title: 'Ready', why: known.last?.postgres ? `Writes and reads are served. ${lagText(known.last.postgres)}` : 'Writes and reads are served.' };
}

function verdictOfState({ ready, state, stateRefusal, last }) {
  switch (ready?.status) {
    case 'recovering':
      return { kind: 'warn', title: 'Starting: neither writes nor reads are served', why: sentence(ready.reason), problem: 'recovering',
        advice: 'It takes as long as the log that has to be read again. Clients repeat their requests with the same GUID.' };
    case 'draining':
      return { kind: 'warn', title: 'Shutting down', why: sentence(ready.reason), problem: 'draining', advice: 'Open requests are answered; new connections are not accepted.' };
    case 'no-owner':
      return { kind: 'bad', title: 'No owner of the log is known; only stale reads are served', why: sentence(ready.reason), problem: 'no-owner',
        advice: 'Another node of the cluster takes over within seconds. If it lasts, look at the nodes and at NATS. Clients repeat with the same GUID.' };
    case 'read-only': {
      const postgresEnded = state !== null && state.write_failure === null && state.postgres?.failure;
      const failure = state?.write_failure ?? state?.postgres?.failure;
      return {
        kind: 'bad', title: 'Writes are refused; reads are served', problem: 'read-only',
        why: failure ? ['Since ', time(failure.since), ': ', element('q', {}, failure.reason)] : whyUnknown(stateRefusal),
        advice: postgresEnded
          ? 'Replication to Postgres has ended for good: fix what the reason names, then restart the engine. Acknowledged writes are in the data folder.'
          : ['Nothing that was acknowledged is lost. Usually the disk is full: free space',
            last?.diskFree !== null && last?.diskFree !== undefined ? ` (${bytes(last.diskFree)} are left)` : '',
            ', and the engine takes writes again by itself within 10 s. If the data folder was removed or replaced, put it back and restart.'],
      };
    }
    default: return null;
  }
}

function whyUnknown(refusal) {
  if (refusal === 401) return 'Sign in with the scope operations to read the reason here. It is also in the log.';
  if (refusal === 403) return 'Your key lacks the scope operations, which the reason needs. It is also in the log.';
  return 'The log has the reason.';
}

const EXPLAINED = {
  'persistence-behind': ['Writes are refused: Postgres is too far behind',
    'The log that Postgres does not have yet has reached --persist-backlog-max. Fix Postgres, and writes are taken again once it has caught up; or restart with a higher limit if the disk has room.'],
  'no-owner': ['Some requests are refused: no node owns the log',
    'Another node of the cluster takes over within seconds. If it lasts, look at the nodes and at NATS. Clients repeat with the same GUID.'],
  overloaded: ['Some requests are refused: the engine is overloaded',
    'More arrive than it executes in time, or as many as its bounds allow. Clients repeat after Retry-After with the same GUID. If it lasts, see the settings max-in-flight, body-memory and response-memory.'],
  'rate-limited': ['Some requests are refused: a tenant exceeds its bounds', 'The settings tenant-rate and tenant-in-flight are these bounds. Other tenants are not affected.'],
  'storage-failed': ['Some requests fail: data cannot be read', 'The log has the reason. Check the disk of the data folder.'],
  'too-many-connections': ['Some connections are refused', 'The settings max-connections and connections-per-address are the bounds.'],
};

function verdictOfRefusals({ figures, last }) {
  const recent = figures.slice(-RECENT);
  for (const [slug, [title, advice]] of Object.entries(EXPLAINED)) {
    const rates = recent.map(({ problems }) => problems[slug] ?? 0);
    const mean = rates.reduce((a, b) => a + b, 0) / (recent.length || 1);
    if (mean > 0) {
      return { kind: slug === 'persistence-behind' ? 'bad' : 'warn', title, advice, problem: slug,
        why: `${mean < 10 ? mean.toFixed(1) : count(mean)} requests a second, in the last ${recent.length} s.${slug === 'persistence-behind' && last?.postgres ? ` ${lagText(last.postgres)}` : ''}` };
    }
  }
  return null;
}

function verdictOfPostgres({ last, state }) {
  const postgres = last?.postgres;
  if (!postgres) return null;
  if (!postgres.connected) {
    const failure = state?.postgres?.failure;
    return { kind: 'warn', title: 'Postgres is away; the engine goes on',
      why: [failure ? ['Since ', time(failure.since), ': ', element('q', {}, failure.reason), ' '] : '', lagText(postgres)],
      advice: 'Entries wait in the log and are written once Postgres takes them. Writes are refused only when the log reaches --persist-backlog-max. If tables are missing, run ordem migrate.' };
  }
  if (postgres.lagSeconds > LAG_S) {
    return { kind: 'warn', title: `Postgres is behind by ${seconds(postgres.lagSeconds)}`, why: lagText(postgres),
      advice: 'Readers of SQL see older data. The engine itself is not affected until the log reaches --persist-backlog-max.' };
  }
  return null;
}

export function lagText({ lagEntries, lagSeconds, backlogBytes }) {
  if (lagEntries === null) return 'How far Postgres is behind is not known yet.';
  if (lagEntries === 0) return 'Postgres has everything.';
  return `Postgres lacks ${count(lagEntries)} ${lagEntries === 1 ? 'entry' : 'entries'}${backlogBytes > 0 ? ` (${bytes(backlogBytes)} of log)` : ''}, the oldest for ${seconds(lagSeconds)}.`;
}

const sentence = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1)}.` : null);

// Keeps the banner as the monitor's state is. Its text changes only with its meaning, so that a screen reader is not interrupted
// each second.
export function wireBanner(place) {
  let shown = '';
  monitor.addEventListener('update', () => {
    const { kind, title, why, advice, problem } = verdictOf(monitor);
    const isTrouble = kind === 'bad' || kind === 'warn';
    const made = element('div', { class: 'banner-inside' },
      element('strong', { class: 'state' }, title),
      why ? element('span', { class: 'why' }, why) : null,
      isTrouble && advice ? element('p', { class: 'advice' }, element('b', {}, 'What to do: '), advice,
        problem ? [' ', element('a', { href: problemLink(problem) }, `About ${problem}`)] : null) : null);
    const text = `${kind} ${made.textContent}`;
    if (text === shown) return;
    shown = text;
    place.className = `banner ${kind}`;
    fill(place, made);
  });
}
