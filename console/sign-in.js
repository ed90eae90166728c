// The dialog for the API key or token, and what it is good for.

import { Away, Refused, getJson } from './api.js';
import { element, fill } from './dom.js';
import { isSignedIn, onSession, signIn, signOut } from './session.js';

// A call that each scope allows, and that reads nothing: what it names does not exist.
const NOTHING = '00000000-0000-7000-8000-000000000000';
const SCOPES = [
  ['orders:read', `api/v1/orders/${NOTHING}`, 'orders, versions, feed and search'],
  ['messages:read', `api/v1/messages/${NOTHING}`, 'messages'],
  ['captures', `api/v2/captures/${NOTHING}`, 'captures'],
  ['operations', '-/state', 'failures and settings'],
];

// Returns [scope, what it is for, 'granted' | 'missing' | 'unauthenticated' | 'not served' | 'away'] for each scope.
export function checkScopes(signal) {
  return Promise.all(SCOPES.map(async ([scope, path, use]) => [scope, use, await accessTo(path, signal)]));
}

async function accessTo(path, signal) {
  try {
    await getJson(path, { signal });
  } catch (error) {
    if (error instanceof Away) return 'away';
    if (!(error instanceof Refused)) throw error;
    if (error.status === 401) return 'unauthenticated';
    if (error.status === 403) return 'missing';
    if (error.slug === 'not-found') return 'not served';
  }
  return 'granted';
}

export function openSignIn() {
  const field = element('input', { id: 'credential', type: 'password', required: true, autocomplete: 'off', spellcheck: 'false', maxlength: 8192 });
  const answer = element('div', { 'aria-live': 'polite' });
  const dialog = element('dialog', { 'aria-labelledby': 'sign-in-title', class: 'dialog' },
    element('form', { on: { submit: (event) => submit(event, field, answer, dialog) } },
      element('h2', { id: 'sign-in-title' }, 'Sign in'),
      element('label', { for: 'credential' }, 'API key or token'),
      field,
      element('p', { class: 'small' }, 'It is kept in this tab alone, until you close it. Make one with few scopes: ',
        element('code', {}, 'ordem key create --scopes orders:read,messages:read,captures,operations')),
      answer,
      element('div', { class: 'buttons' },
        element('button', { class: 'primary' }, 'Sign in'),
        element('button', { type: 'button', on: { click: () => dialog.close() } }, 'Cancel'))));
  dialog.addEventListener('close', () => {
    dialog.remove();
    // What had the focus before may be gone.
    if (document.activeElement === document.body) document.getElementById('page').focus({ preventScroll: true });
  });
  document.body.append(dialog);
  dialog.showModal();
}

async function submit(event, field, answer, dialog) {
  event.preventDefault();
  const secret = field.value.trim();
  if (!/^[\x21-\x7e]+$/.test(secret)) {
    fill(answer, element('p', { class: 'bad' }, 'A key or token has visible ASCII characters only.'));
    return;
  }
  fill(answer, element('p', {}, 'Checking…'));
  signIn(secret);
  const access = await checkScopes(AbortSignal.timeout(20_000)).catch(() => []);
  if (access.some(([, , state]) => state === 'unauthenticated')) {
    signOut();
    fill(answer, element('p', { class: 'bad' }, 'The engine does not accept this key or token.'));
    field.select();
    return;
  }
  const missing = access.filter(([, , state]) => state === 'missing');
  if (missing.length === 0) {
    dialog.close();
    return;
  }
  fill(answer, element('p', {}, 'Signed in. The key lacks ', missing.map(([scope, use], at) => [at > 0 ? ', ' : '', element('code', {}, scope), ` (${use})`]), '.'));
  const [first, second] = dialog.querySelectorAll('.buttons button');
  first.remove();
  fill(second, 'Close');
  second.focus();
}

// Keeps the button of the header as the session is.
export function wireSignIn(button) {
  const show = () => fill(button, isSignedIn() ? 'Sign out' : 'Sign in');
  button.addEventListener('click', () => (isSignedIn() ? signOut() : openSignIn()));
  onSession(show);
  show();
}
