// Signalling that breaks, by LiveKit's own simulations and by cut wires: the session is resumed, and its media never
// stops (L-28, L-31, L-32, L-60).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, happened, subscribed } from '../lib/browser.js';
import { SMALL_CAMERA, gathering, meeting } from '../lib/meeting.js';
import { startNat, startWire } from '../lib/rebinding.js';
import { FREEZE_MS, PATIENCE_MS, flows, longestFreeze, pair, reconnected } from '../lib/reconnection.js';
import { throughRelay } from '../lib/relay.js';

// One shard: the NAT's relay leads to one port.
const world = meeting({ settings: { 'rtc.shards': 1 } });

for (const mode of ['single', 'dual']) {
  describe(`what resumes (${mode})`, () => {
    for (const scenario of ['signal-reconnect', 'migration', 'disconnect-signal-on-resume', 'disconnect-signal-on-resume-no-messages']) {
      it(`L-60 L-31 L-28 ${mode} ${scenario}: the same session goes on, and no frame stream stops`, async (t) => {
        const { ada, ben, camera } = await pair(world, t, mode);
        const me = await ada.me();
        const sent = ben.frames(camera, 6_000);
        const ours = ada.frames(await subscribed(ada, 'ben', 'camera'), 6_000);
        await ada.simulate(scenario);
        await reconnected(ada);
        for (const [who, series] of [['ada', await sent], ['ben', await ours]]) {
          const [frames, freeze] = [series.at(-1)[1] - series[0][1], longestFreeze(series)];
          t.diagnostic(`${frames} frames of ${who} in 6 s, longest freeze ${freeze} ms`);
          assert.ok(freeze < FREEZE_MS && frames > 20, `${who}: ${frames} frames, ${freeze} ms`);
        }
        assert.equal((await ada.me()).sid, me.sid);
        assert.ok(!(await ben.log()).some(([, event]) => /^participant(Dis)?connected|^trackUn/i.test(event)), 'Ben noticed something');
        await ada.sendData('still there', { reliable: true });
        await happened(ben, 'dataReceived', 'ada', 'still there');
        await ada.setMicrophone(false);
        await happened(ben, 'trackMuted', 'ada', 'microphone');
        await flows(ben, 'ada');
        await flows(ada, 'ben');
      });
    }

    it(`L-31 L-15 ${mode}: who came, went and published meanwhile is known after the resume`, async (t) => {
      const { ada, ben, people } = await pair(world, t, mode);
      const carl = await people.browser('carl');
      await eventually('carl', async () => (await ada.other('carl')) !== null);
      const ended = ada.simulate('signal-reconnect', 4_000);
      await delay(500);
      await carl.leave();
      const dora = await people.browser('dora');
      await dora.setCamera(true, ...SMALL_CAMERA);
      await ben.setName('Benjamin').catch(() => {});
      await ended;
      await reconnected(ada);
      await eventually('nobody else than is there', async () => {
        const names = (await ada.others()).map((other) => other.identity).sort();
        return names.join() === 'ben,dora';
      });
      await flows(ada, 'dora');
    });
  });

  describe(`cut wires (${mode})`, () => {
    it(`L-31 ${mode}: a TCP connection that breaks without a word is a resume`, async (t) => {
      const wire = await startWire(world.server.port);
      t.after(() => wire.stop());
      const { ada, camera, ben } = await pair(world, t, mode, { url: `ws://127.0.0.1:${wire.port}` });
      const me = await ada.me();
      const sent = ben.frames(camera, 6_000);
      assert.ok(wire.cut() > 0);
      await reconnected(ada);
      const freeze = longestFreeze(await sent);
      assert.ok(freeze < FREEZE_MS, `${freeze} ms`);
      assert.equal((await ada.me()).sid, me.sid);
      await flows(ada, 'ben');
    });

    it(`L-31 L-32 ${mode}: a NAT that gives another port costs a moment of media and no session`, async (t) => {
      const [port] = world.server.udpPorts();
      const nat = await startNat(port);
      t.after(() => nat.stop());
      const { ada, ben } = await pair(world, t, mode, { page: { before: { script: throughRelay, argument: nat.port } } });
      const me = await ada.me();
      assert.ok(nat.rebind() > 0);
      await flows(ben, 'ada');
      await flows(ada, 'ben');
      assert.equal((await ada.me()).sid, me.sid);
      assert.ok(!(await ben.log()).some(([, event]) => event === 'participantDisconnected'));
    });
  });
}

describe('Python', () => {
  it('L-31 L-60: a TCP connection that breaks without a word is a resume', async (t) => {
    const wire = await startWire(world.server.port);
    t.after(() => wire.stop());
    const people = gathering(world, t);
    const ben = await people.browser('ben');
    const pia = await people.python('pia', { url: `ws://127.0.0.1:${wire.port}` });
    await pia.publish_video(30, 160, 60, false);
    await ben.setCamera(true, ...SMALL_CAMERA);
    const camera = await subscribed(ben, 'pia', 'camera');
    await flows(ben, 'pia');
    await pia.look('ben', 1);
    const sent = ben.frames(camera, 8_000);
    assert.ok(wire.cut() > 0);
    await eventually('reconnected', async () => (await pia.events()).some(([event]) => event === 'reconnected'), PATIENCE_MS);
    const freeze = longestFreeze(await sent);
    t.diagnostic(`longest freeze ${freeze} ms`);
    assert.ok(freeze < FREEZE_MS, `${freeze} ms`);
    const others = await pia.others();
    assert.deepEqual(others.map((other) => other.identity), ['ben']);
    const seen = await eventually('Python sees Ben', async () => {
      const look = await pia.look('ben', 2);
      return look.distinct >= 4 && look;
    }, PATIENCE_MS);
    assert.ok(seen.size[0] >= 160);
    assert.ok(!(await ben.log()).some(([, event]) => event === 'participantDisconnected'));
  });
});
