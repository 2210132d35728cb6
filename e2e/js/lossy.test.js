// Chromium behind a bad network: a UDP relay with 5 % loss and 50 ms each way between it and the server. The SDK is
// unmodified: the page's RTCPeerConnection is told another port.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, subscribed } from '../lib/browser.js';
import { gathering, meeting } from '../lib/meeting.js';
import { startRelay, throughRelay } from '../lib/relay.js';

const world = meeting({ settings: { 'rtc.shards': 1 } });

for (const mode of ['single', 'dual']) {
  describe(`through the relay (${mode})`, () => {
    it(`L-01 ${mode}: 95 % of the frames are decoded, and no gap in the sound is over 200 ms`, async (t) => {
      const [port] = world.server.udpPorts();
      const relay = await startRelay({ to: `127.0.0.1:${port}`, loss: 0.05, delayMs: 50, seed: 7 });
      t.after(() => relay.stop());
      const people = gathering(world, t);
      const pia = await people.python('pia');
      await pia.publish_video(30, 160, 60, false); // one layer: what is sent can be counted
      await pia.publish_audio(440);
      const ben = await people.browser('ben', { mode, page: { before: { script: throughRelay, argument: relay.port } } });
      const video = await subscribed(ben, 'pia', 'camera');
      const audio = await subscribed(ben, 'pia', 'microphone');
      const stop = ben.look(video, 14_000);
      await eventually('frames', async () => (await ben.received(video)).framesDecoded > 10);
      await delay(1500);
      const sentBefore = await pia.frames_sent();
      const before = await ben.received(video);
      const soundBefore = await ben.received(audio);
      await delay(10_000);
      const after = await ben.received(video);
      const sent = (await pia.frames_sent()) - sentBefore;
      const soundAfter = await ben.received(audio);
      await stop;
      const decoded = after.framesDecoded - before.framesDecoded;
      const lost = after.packetsLost - before.packetsLost;
      const told = ['framesReceived', 'framesDecoded', 'framesDropped', 'keyFramesDecoded', 'packetsReceived', 'packetsLost', 'retransmittedPacketsReceived', 'nackCount', 'pliCount', 'freezeCount'];
      t.diagnostic(told.map((name) => `${name} ${(after[name] ?? 0) - (before[name] ?? 0)}`).join(', '));
      t.diagnostic(`${decoded} of ${sent} frames, ${lost} packets lost for good, ${after.nackCount} NACKs`);
      assert.ok(sent > 100 && decoded >= 0.95 * sent, `${decoded} of ${sent} frames`);
      const concealed = soundAfter.concealedSamples - soundBefore.concealedSamples;
      const events = soundAfter.concealmentEvents - soundBefore.concealmentEvents;
      assert.ok(events === 0 || concealed / events < 0.2 * 48_000, `${concealed} samples concealed in ${events} gaps`);
      const heard = await ben.listen(audio, 4000);
      assert.ok(heard.longestQuiet < 200, JSON.stringify(heard));
      assert.ok(after.retransmittedPacketsReceived > 0, 'nothing was lost and repaired: was the relay in the way?');
    });
  });
}
