// Taking tracks by choice, shared screens, latecomers, and publishing again and again.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, happened, subscribed } from '../lib/browser.js';
import { SMALL_CAMERA, gathering, meeting } from '../lib/meeting.js';

const world = meeting();

for (const mode of ['single', 'dual']) {
  describe(`subscribing (${mode})`, () => {
    it(`L-05 L-20 L-21 L-22 L-35 ${mode}: without autoSubscribe tracks are listed, come when asked for, stop, and come again`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const sid = await ada.setCamera(true, ...SMALL_CAMERA);
      const ben = await people.browser('ben', { mode, connectOptions: { autoSubscribe: false } });
      await delay(500);
      const [listed] = (await ben.other('ada')).tracks;
      assert.equal(listed.sid, sid);
      assert.equal(listed.subscribed, false);
      for (let round = 0; round < 3; round += 1) {
        await ben.setSubscribed(sid, true);
        await happened(ben, 'trackSubscribed', 'ada', 'camera', sid);
        await eventually('its picture', async () => (await ben.look(sid, 700)).distinct >= 3);
        await ben.clearLog();
        await ben.setSubscribed(sid, false);
        await happened(ben, 'trackUnsubscribed', 'ada', 'camera', sid);
        await ben.clearLog();
      }
      await happened(ada, 'localTrackSubscribed', 'camera', sid);
    });

    it(`L-33 ${mode}: a shared screen is a track of its own beside the camera`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      await ada.setCamera(true, ...SMALL_CAMERA);
      const screen = await ada.shareScreen();
      assert.match(screen, /^TR_VS/);
      assert.equal(await subscribed(ben, 'ada', 'screen_share'), screen);
      const seen = await eventually('the screen', async () => {
        const look = await ben.look(screen, 1000);
        return look.distinct >= 3 && look.mean[2] > 150 && look;
      });
      assert.ok(seen.mean[0] < 80, `${seen.mean} is not the screen's blue`);
      await subscribed(ben, 'ada', 'camera');
    });

    it(`P-4 L-23 ${mode}: a latecomer's first decoded frame comes soon`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const sid = await ada.setCamera(true, ...SMALL_CAMERA);
      await delay(2000);
      const ben = await people.browser('ben', { mode });
      await happened(ben, 'trackSubscribed', 'ada', 'camera', sid);
      const decoded = await eventually('a decoded frame', async () => (await ben.received(sid))?.framesDecoded > 0);
      assert.ok(decoded);
      const [connected] = await happened(ben, 'connectionStateChanged', 'connected');
      assert.ok((await ben.now()) - connected < 2000, 'slow even for a browser under test');
    });

    it(`L-34 ${mode}: published and unpublished 20 times, a subscriber's m-lines do not grow`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const seen = [];
      for (let round = 0; round < 20; round += 1) {
        const sid = await ada.setCamera(true, ...SMALL_CAMERA);
        await happened(ben, 'trackSubscribed', 'ada', 'camera', sid);
        if (round % 5 === 4) await eventually('its picture', async () => (await ben.look(sid, 600)).distinct >= 3);
        await ada.unpublish(sid);
        await happened(ben, 'trackUnpublished', 'ada', 'camera', sid);
        seen.push((await ben.sections())[mode === 'dual' ? 'subscriber' : 'publisher']);
      }
      assert.ok(seen.at(-1) <= seen[1] + 1, `m-lines by round: ${seen}`);
    });
  });
}

describe('many at once', () => {
  it('L-10: more tracks than the first offer has sections for all arrive', async (t) => {
    const people = gathering(world, t);
    const pythons = await Promise.all(['p1', 'p2', 'p3', 'p4', 'p5'].map((identity) => people.python(identity)));
    await Promise.all(pythons.map((python, index) => python.publish_video(40 * index, 200 - 40 * index, 90)));
    await Promise.all(pythons.map((python, index) => python.publish_audio(300 + 100 * index)));
    const ada = await people.browser('ada');
    for (const [index, identity] of ['p1', 'p2', 'p3', 'p4', 'p5'].entries()) {
      const sid = await subscribed(ada, identity, 'camera');
      const seen = await eventually(`${identity} is seen`, async () => {
        const look = await ada.look(sid, 800);
        return look.distinct >= 3 && look;
      });
      assert.ok(Math.abs(seen.mean[0] - 40 * index) < 30 && Math.abs(seen.mean[1] - (200 - 40 * index)) < 30, `${identity} shows ${seen.mean}`);
      const heard = await ada.listen(await subscribed(ada, identity, 'microphone'), 800);
      assert.ok(Math.abs(heard.hertz - (300 + 100 * index)) < 15, `${identity} sounds like ${heard.hertz} Hz`);
    }
  });
});
