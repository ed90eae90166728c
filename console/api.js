// The calls of the engine's own API. All requests of the console are made here.

import { credential } from './session.js';

// The server's root, which is above the folder of the console.
const ROOT = new URL('../', import.meta.url);
const REQUEST_MS_MAX = 15_000;

// The engine does not answer.
export class Away extends Error {}

// The engine answers with an error. `problem` is its body: an application/problem+json, or the form of captures.
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? problem.error ?? problem.title ?? `status ${status}`);
    this.status = status;
    this.problem = problem;
    this.slug = typeof problem.type === 'string' ? problem.type.replace('/problems/', '') : null;
  }
}

// By how many milliseconds the server's clock is ahead of the browser's, from the header Date; about a second exact.
let clockOffset = 0;
export const serverNow = () => Date.now() + clockOffset;

export const pathOf = (...parts) => parts.map(encodeURIComponent).join('/');
export const problemLink = (slug) => new URL(`problems/${encodeURIComponent(slug)}`, ROOT).href;

// Sends a request with the credential. Returns the response, whose status is below 400. Throws Away or Refused, or an AbortError
// if `signal` is aborted. With `stream` the body may take any time.
export async function request(path, { method = 'GET', accept = 'application/json', signal, stream = false } = {}) {
  const headers = { Accept: accept };
  const secret = credential();
  if (secret !== null) headers.Authorization = `Bearer ${secret}`;
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(), REQUEST_MS_MAX);
  const stop = () => timer.abort();
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted) stop();
  let response;
  let text = null;
  try {
    response = await fetch(new URL(path, ROOT), { method, headers, signal: timer.signal, cache: 'no-store', credentials: 'omit', redirect: 'error' });
    if (!stream || response.status >= 400) text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw new DOMException('the page was left', 'AbortError');
    throw new Away(error.message);
  } finally {
    clearTimeout(timeout);
    if (!stream) signal?.removeEventListener('abort', stop);
  }
  const date = Date.parse(response.headers.get('Date') ?? '');
  if (!Number.isNaN(date)) clockOffset = date + 500 - Date.now();
  if (response.status >= 400) throw refusalOf(response, text);
  return { response, text };
}

export async function getJson(path, { signal } = {}) {
  const { text } = await request(path, { signal });
  return JSON.parse(text);
}

export async function getText(path, { signal } = {}) {
  const { text } = await request(path, { signal, accept: 'text/plain' });
  return text;
}

// As getJson(), but null for an error with one of these slugs, or with this status where errors have none.
export async function findJson(path, { signal, slugs = [], statuses = [] } = {}) {
  try {
    return await getJson(path, { signal });
  } catch (error) {
    if (error instanceof Refused && (slugs.includes(error.slug) || (error.slug === null && statuses.includes(error.status)))) return null;
    throw error;
  }
}

function refusalOf(response, text) {
  const isJson = /json/.test(response.headers.get('Content-Type') ?? '');
  let body = null;
  try {
    body = isJson ? JSON.parse(text) : null;
  } catch {
    body = null;
  }
  // A gateway in front of the engine answers for it.
  if (body === null && [502, 503, 504].includes(response.status)) return new Away(`status ${response.status}`);
  return new Refused(response.status, body ?? {});
}
