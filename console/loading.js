// What a page shows while it loads, and when that fails. An engine that is away is asked again until it answers.

import { Away, Refused, problemLink } from './api.js';
import { element, fill } from './dom.js';
import { isSignedIn } from './session.js';
import { openSignIn } from './sign-in.js';

const RETRY_MS_FIRST = 500;
const RETRY_MS_MAX = 8000;

// Resolves after the time, or rejects when `signal` is aborted.
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new DOMException('the page was left', 'AbortError'));
    if (signal.aborted) {
      abort();
      return;
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      abort();
    }, { once: true });
  });
}

// The times to wait between tries: doubled up to the longest, and shortened by up to half at random.
export function backOff() {
  let next = RETRY_MS_FIRST;
  return {
    next() {
      const now = next;
      next = Math.min(next * 2, RETRY_MS_MAX);
      return now * (0.5 + Math.random() / 2);
    },
    reset() {
      next = RETRY_MS_FIRST;
    },
  };
}

// Calls load(), then show(its result), in `place`. While the engine is away it tries again. Pages are shown anew after a sign-in.
export async function loadInto(place, signal, load, show) {
  const waits = backOff();
  fill(place, element('p', { class: 'note', role: 'status' }, 'Loading…'));
  for (;;) {
    try {
      const loaded = await load();
      if (!signal.aborted) show(loaded);
      return;
    } catch (error) {
      if (signal.aborted || error.name === 'AbortError') return;
      fill(place, errorNote(error));
      if (!(error instanceof Away) && error.status !== 503 && error.status !== 429) {
        if (!(error instanceof Refused)) throw error;
        return;
      }
      try {
        await pause(waits.next(), signal);
      } catch {
        return;
      }
    }
  }
}

export function errorNote(error) {
  if (error instanceof Away) {
    return element('p', { class: 'note warn', role: 'status' }, 'The engine is away. Trying again until it answers.');
  }
  if (!(error instanceof Refused)) return element('p', { class: 'note bad', role: 'alert' }, `The console failed: ${error.message}`);
  if (error.status === 401) return signInNote();
  if (error.problem.scope) {
    return element('p', { class: 'note bad', role: 'alert' },
      'Your key lacks the scope ', element('code', {}, error.problem.scope), ', which this page needs. Sign in with another one.');
  }
  if (error.slug === 'not-found') {
    return element('p', { class: 'note bad', role: 'alert' },
      'This port does not serve orders, messages and captures: it can be reached by other machines, and the engine has no identities.');
  }
  return element('div', { class: 'note bad', role: 'alert' },
    element('p', {}, element('strong', {}, error.problem.title ?? `Status ${error.status}`), ': ', error.message),
    error.slug ? element('p', {}, element('a', { href: problemLink(error.slug) }, 'What this means')) : null);
}

function signInNote() {
  return element('div', { class: 'note', role: 'status' },
    element('p', {}, isSignedIn() ? 'The engine does not accept your key or token. It may have expired.' : 'This engine has identities. Sign in to read this page.'),
    element('button', { type: 'button', on: { click: openSignIn } }, 'Sign in'));
}
