// A backend that receives webhooks as LiveKit's own SDK does, on loopback.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { WebhookReceiver } from 'livekit-server-sdk';
import { eventually } from './browser.js';
import { KEY, SECRET } from './token.js';

/** Starts one; `answer(request number)` gives { status, headers } or nothing for 200; 'hang' never answers. */
export async function startHooks(answer = () => undefined) {
  const receiver = new WebhookReceiver(KEY, SECRET);
  const requests = [];
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts).toString();
    const authorization = request.headers.authorization;
    // The SDK checks the signature and the body's digest.
    const event = await receiver.receive(body, authorization).catch((error) => ({ error: String(error) }));
    requests.push({ event, body, authorization, headers: request.headers });
    const wanted = answer(requests.length);
    if (wanted !== 'hang') response.writeHead(wanted?.status ?? 200, wanted?.headers ?? {}).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/hook`,
    requests,
    /** The first event of this name for which `fits`, once it is there. */
    told: (name, fits = () => true) =>
      eventually(`webhook ${name}`, () => requests.map(({ event }) => event).find((event) => event.event === name && fits(event)), 20_000),
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
