// The job of Ordem done by Restate: an order is a virtual object under its id, whose handlers Restate calls one at a time, and each once
// for an Idempotency-Key. Serves them on a port of 127.0.0.1, over HTTP/2 as Restate asks, until SIGTERM.

import './promises.mjs';

import { createServer } from 'node:http2';

import * as restate from '@restatedev/restate-sdk';

const order = restate.object({
  name: 'order',
  handlers: {
    create: async (ctx, content) => {
      if ((await ctx.get('version')) !== null) {
        throw new restate.TerminalError('there is such an order', { errorCode: 409 });
      }
      ctx.set('version', 1);
      ctx.set('content', content);
      return { code: 201, order_id: ctx.key, version: 1, order: content };
    },
  },
});

const server = createServer(restate.createEndpointHandler({ services: [order] }));
server.listen(0, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${server.address().port}`));
