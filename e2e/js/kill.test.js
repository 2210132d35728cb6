// the server is killed, again and again, while sketches on the bus store messages; they come back by themselves.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import ReconnectingWebSocket from 'reconnecting-websocket';
import { WebSocket } from 'ws';
import { freePort, startServer } from '../lib/server.js';

const KILLS = Number(process.env.E2E_KILLS ?? 100);
const SECRET = 'a-secret-for-stored-messages';
const ROOMS = ['first', 'second', 'third'];
const SKETCHES = 12;
/** A sketch says so much a second: within what one socket may. */
const EVERY_MS = 25;
/** A client has to be back so soon after a kill. */
const BACK_MS = 5000;
/** Shorter than the library's own, so that a hundred kills take minutes and not an hour. */
const RECONNECTION = { minReconnectionDelay: 100, maxReconnectionDelay: 500, maxEnqueuedMessages: 0, WebSocket };

/** A sketch that stores messages whenever it is connected. What comes back is stored. */
class Sketch {
  acknowledged = [];
  #said = 0;

  constructor(port, number) {
    this.name = `sketch-${number}`;
    this.room = ROOMS[number % ROOMS.length];
    this.socket = new ReconnectingWebSocket(`ws://127.0.0.1:${port}/?channel=${this.room}`, [], RECONNECTION);
    this.socket.addEventListener('message', ({ data }) => this.#hear(JSON.parse(data)));
    this.timer = setInterval(() => this.#say(), EVERY_MS);
  }

  get open() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  #say() {
    if (!this.open) return;
    const id = `${this.name}-${this.#said++}`;
    const message = { id, datetime: new Date().toISOString(), type: 'CHAT', channel: this.room, userId: this.name };
    this.socket.send(JSON.stringify({ ...message, userName: this.name, value: 'x'.repeat(this.#said % 500), store: true }));
  }

  #hear(message) {
    if (message.userId === this.name) this.acknowledged.push(message.id);
  }

  takeAcknowledged() {
    return this.acknowledged.splice(0);
  }

  close() {
    clearInterval(this.timer);
    this.socket.close();
  }
}

/** How many of the sketches are back in time. */
async function back(sketches, since) {
  while (Date.now() < since + BACK_MS) {
    if (sketches.every((sketch) => sketch.open)) break;
    await delay(10);
  }
  return sketches.filter((sketch) => sketch.open).length;
}

async function stored(server) {
  const messages = await (await fetch(`${server.http}/messages?secret=${SECRET}`)).json();
  return new Set(messages.map(({ id }) => id));
}

it(`Q-4: of what was acknowledged nothing is lost by ${KILLS} kills, and everybody is back`, async () => {
  const data = mkdtempSync(join(tmpdir(), 'odeon-kill-'));
  const settings = { 'http.port': await freePort(), 'data-dir': data, messages_secret: SECRET };
  const sketches = Array.from({ length: SKETCHES }, (_, number) => new Sketch(settings['http.port'], number));
  let server;
  let [returned, acknowledged] = [0, 0];
  const starts = [];
  try {
    server = await startServer(settings);
    assert.equal(await back(sketches, Date.now()), SKETCHES, 'nobody has been killed yet');
    for (let life = 0; life < KILLS; life++) {
      await delay(30 + ((life * 7919) % 97) * 2);
      await server.kill();
      const killed = Date.now();
      const told = sketches.flatMap((sketch) => sketch.takeAcknowledged());
      server = await startServer(settings);
      starts.push(Date.now() - killed);
      const kept = await stored(server);
      assert.deepEqual(told.filter((id) => !kept.has(id)), [], `lost by kill ${life}`);
      acknowledged += told.length;
      returned += await back(sketches, killed);
    }
  } finally {
    sketches.forEach((sketch) => sketch.close());
    await server?.stop();
    rmSync(data, { recursive: true, force: true });
  }
  starts.sort((a, b) => a - b);
  console.log(`${acknowledged} acknowledged; listening after ${starts[starts.length >> 1]} ms, ${starts.at(-1)} ms at most`);
  assert.ok(acknowledged > KILLS, `only ${acknowledged} messages were acknowledged`);
  assert.ok(returned >= 0.95 * KILLS * SKETCHES, `${returned} of ${KILLS * SKETCHES} were back in time`);
  // The median: a busy machine may hold a process up for longer than it needs.
  assert.ok(starts[starts.length >> 1] <= 1000, `listening again after ${starts} ms`);
});
