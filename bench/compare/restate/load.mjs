// Creates orders through Restate's ingress over keep-alive connections, one request at a time on each, and checks every answer.
//
//   node load.mjs PORT CONNECTIONS WARM_UP_SECONDS SECONDS
//
// Prints one line of JSON: the answers within the measured time, and the CPU time that this process used in it. Exits with code 1 on the
// first answer that is wrong or missing.

import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';

const [port, connections, warmUpSeconds, seconds] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const begin = performance.now() + 1000 * warmUpSeconds;
const end = begin + 1000 * seconds;
const answerMillisecondsMax = 10_000;

function contentOf(turn) {
  return { customer_id: 'c-1001', currency: 'EUR', items: [{ sku: 'A-1', quantity: 2, unit_price: 1999 }], attributes: { turn } };
}

function post(path, key, body) {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'idempotency-key': key };
    const outgoing = request({ host: '127.0.0.1', port, agent, method: 'POST', path, headers, timeout: answerMillisecondsMax }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part) => (text += part));
      answer.on('end', () => resolve({ status: answer.statusCode, text }));
      answer.on('error', reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

let answers = 0;

async function createOrders(number) {
  for (let turn = 1; performance.now() < end; ++turn) {
    const id = randomUUID();
    const content = contentOf(`${number}-${turn}`);
    const { status, text } = await post(`/order/${id}/create`, randomUUID(), JSON.stringify(content));
    const expected = JSON.stringify({ code: 201, order_id: id, version: 1, order: content });
    if (status !== 200 || text !== expected) throw new Error(`wrong answer ${status}: ${text}`);
    const now = performance.now();
    if (now >= begin && now < end) ++answers;
  }
}

let used;
setTimeout(() => (used = process.cpuUsage()), 1000 * warmUpSeconds);
setTimeout(() => (used = process.cpuUsage(used)), 1000 * (warmUpSeconds + seconds));

try {
  await Promise.all(Array.from({ length: connections }, (_, number) => createOrders(number)));
} catch (error) {
  console.error(`load.mjs: ${error.message}`);
  process.exit(1);
}
agent.destroy();
process.on('exit', () => {
  console.log(JSON.stringify({ requests_per_s: answers / seconds, generator_cpu_s: (used.user + used.system) / 1e6, requests: answers }));
});
