// Watches the engine on every page: reads /metrics and /-/ready each second, and /-/state less often. Keeps the figures of the
// last minutes. `monitor` dispatches "update" after each try.

import { Away, Refused, getJson, getText, request } from './api.js';
import { backOff, pause } from './loading.js';
import { figuresBetween, parseMetrics, reading } from './metrics.js';
import { onSession } from './session.js';

const INTERVAL_MS = 1000;
const STATE_INTERVAL_MS = 4000;
export const FIGURES_MS = 300_000;

class Monitor extends EventTarget {
  // 'starting', 'here' or 'away'
  contact = 'starting';
  // The body of /-/ready: { status, reason }.
  ready = null;
  // The body of /-/state, or null while it is unknown.
  state = null;
  // Why /-/state or /metrics cannot be read: 401, 403, 404, or null.
  stateRefusal = null;
  metricsRefusal = null;
  // The last reading, and the figures, oldest first.
  last = null;
  figures = [];

  #stateAt = -Infinity;

  async run(signal) {
    const waits = backOff();
    onSession(() => this.#forgetRefusals());
    while (!signal.aborted) {
      try {
        await this.#readOnce(signal);
        this.contact = 'here';
        waits.reset();
      } catch (error) {
        if (!(error instanceof Away)) throw error;
        this.contact = 'away';
        this.#stateAt = -Infinity;
      }
      this.dispatchEvent(new Event('update'));
      await pause(this.contact === 'here' ? INTERVAL_MS : waits.next(), signal);
    }
  }

  #forgetRefusals() {
    this.state = null;
    this.stateRefusal = null;
    this.metricsRefusal = null;
    this.#stateAt = -Infinity;
  }

  async #readOnce(signal) {
    const before = this.ready?.status;
    this.ready = await readiness(signal);
    // The reason for a change is wanted at once.
    if (this.ready.status !== before) this.#stateAt = -Infinity;
    if (this.metricsRefusal === null) await this.#readMetrics(signal);
    const isNews = performance.now() - this.#stateAt >= STATE_INTERVAL_MS;
    if (this.stateRefusal === null && isNews) await this.#readState(signal);
  }

  async #readMetrics(signal) {
    const text = await orStatus(getText('metrics', { signal }), (status) => { this.metricsRefusal = status; });
    if (this.metricsRefusal !== null) {
      this.last = null;
      this.figures = [];
    }
    if (text === null) return;
    const now = reading(parseMetrics(text), Date.now());
    const figures = this.last === null ? null : figuresBetween(this.last, now);
    if (figures !== null) this.figures.push(figures);
    while (this.figures.length > 0 && this.figures[0].at < now.at - FIGURES_MS) this.figures.shift();
    this.last = now;
  }

  async #readState(signal) {
    this.#stateAt = performance.now();
    const state = await orStatus(getJson('-/state', { signal }), (status) => { this.stateRefusal = status; });
    if (state !== null) this.state = state;
  }
}

// Returns what was read, or null after `refuse` was called with the status of a lasting refusal.
async function orStatus(read, refuse) {
  try {
    return await read;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if ([401, 403, 404, 421].includes(error.status)) refuse(error.status);
    return null;
  }
}

async function readiness(signal) {
  try {
    const { text } = await request('-/ready', { signal });
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof Refused && typeof error.problem.status === 'string') return error.problem;
    if (error instanceof Refused) throw new Away(error.message);
    throw error;
  }
}

export const monitor = new Monitor();
