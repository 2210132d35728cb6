// A network that stands still for a while (L-32): pictures and sound freeze and go on, and nobody leaves or joins again.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, subscribed } from '../lib/browser.js';
import { gathering, meeting } from '../lib/meeting.js';
import { startRelay, throughRelay } from '../lib/relay.js';

const world = meeting({ settings: { 'rtc.shards': 1 } });
const STANDSTILL_MS = 3000;

for (const mode of ['single', 'dual']) {
  describe(`a network that stands still (${mode})`, () => {
    it(`L-32 ${mode}: the picture freezes and moves again, in the same session`, async (t) => {
      const [port] = world.server.udpPorts();
      const relay = await startRelay({ to: `127.0.0.1:${port}` });
      t.after(() => relay.stop());
      const people = gathering(world, t);
      const pia = await people.python('pia');
      await pia.publish_video(30, 160, 60, false);
      const ben = await people.browser('ben', { mode, page: { before: { script: throughRelay, argument: relay.port } } });
      const video = await subscribed(ben, 'pia', 'camera');
      const moves = async (ms) => (await ben.look(video, ms)).distinct;
      await eventually('a moving picture', async () => (await moves(1000)) >= 5);
      const { sid } = await ben.me();
      await ben.clearLog();
      relay.pause();
      t.after(() => relay.resume());
      await delay(500); // what was on its way is shown
      assert.ok((await moves(STANDSTILL_MS - 1500)) <= 2, 'it stands still');
      relay.resume();
      await eventually('it moves again', async () => (await moves(1000)) >= 5);
      const left = ['disconnected', 'reconnecting', 'trackUnsubscribed', 'participantDisconnected'];
      assert.deepEqual((await ben.log()).filter(([, event]) => left.includes(event)), []);
      assert.equal((await ben.me()).sid, sid);
    });
  });
}
