// Sessions that can't be resumed, by LiveKit's own simulations: the same person connects anew and publishes again (L-60).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, happened } from '../lib/browser.js';
import { meeting } from '../lib/meeting.js';
import { flows, pair, reconnected } from '../lib/reconnection.js';

// A port of this process's own for media over TCP.
const world = meeting({ settings: { 'rtc.tcp_port': 40_000 + (process.pid % 20_000) } });

for (const mode of ['single', 'dual']) {
  describe(`what connects anew (${mode})`, () => {
    for (const scenario of ['node-failure', 'full-reconnect', 'leave-full-reconnect', 'resume-reconnect']) {
      it(`L-60 L-16 ${mode} ${scenario}: a new session of the same person publishes again`, async (t) => {
        const { ada, ben } = await pair(world, t, mode);
        const me = await ada.me();
        await ada.simulate(scenario);
        await reconnected(ada);
        const now = await ada.me();
        assert.notEqual(now.sid, me.sid);
        assert.equal(now.tracks.length, 2);
        await eventually('ben sees the new session alone', async () => (await ben.other('ada'))?.sid === now.sid);
        await flows(ben, 'ada');
        await flows(ada, 'ben');
        assert.ok(!(await ada.log()).some(([, event]) => event === 'disconnected'), 'the new session was put out');
      });
    }

    it(`L-60 L-29 ${mode} force-tcp: the next session's media goes over TCP`, async (t) => {
      const { ada, ben } = await pair(world, t, mode);
      await ada.simulate('force-tcp');
      await reconnected(ada);
      await flows(ben, 'ada');
      await flows(ada, 'ben');
      const paths = await ada.paths();
      assert.ok(paths.length > 0 && paths.every((path) => path.protocol === 'tcp'), JSON.stringify(paths));
    });
  });

  describe(`what ends or changes nothing (${mode})`, () => {
    it(`L-60 L-27 ${mode} server-leave: told to stay away, she does`, async (t) => {
      const { ada, ben } = await pair(world, t, mode);
      await ada.simulate('server-leave');
      await happened(ada, 'disconnected');
      await happened(ben, 'participantDisconnected', 'ada');
    });

    it(`L-60 L-03 ${mode} speaker: shown as speaking for three seconds`, async (t) => {
      const { ada, ben } = await pair(world, t, mode);
      await ada.setMicrophone(false);
      await eventually('quiet', async () => (await ben.log()).findLast(([, event]) => event === 'activeSpeakersChanged')?.[2].length !== 1);
      await ada.simulate('speaker');
      await happened(ben, 'activeSpeakersChanged', ['ada']);
      await happened(ben, 'activeSpeakersChanged', []);
    });
  });
}
