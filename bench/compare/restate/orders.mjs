// The work of Ordem in Restate: an order is a virtual object, keyed by its id. Restate calls its handlers one at a time, and once for each
// Idempotency-Key. Serves them on a port of 127.0.0.1, over HTTP/2 as Restate requires, until SIGTERM.

import './promises.mjs';

import { createServer } from 'node:http2';

import * as restate from '@restatedev/restate-sdk';

const order = restate.object({
  name: 'order',
  handlers: {
    create: async (ctx, content) => {
      if ((await ctx.get('version')) !== null) {
        throw new restate.TerminalError('the order exists already', { errorCode: 409 });
      }
      ctx.set('version', 1);
      ctx.set('content', content);
      return { code: 201, order_id: ctx.key, version: 1, order: content };
    },
  },
});

const server = createServer(restate.createEndpointHandler({ services: [order] }));
server.listen(0, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
