// Data tracks between JS and Python (L-65, livekit.md 2.6).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, happened } from '../lib/browser.js';
import { gathering, meeting } from '../lib/meeting.js';

const world = meeting({ settings: { 'rtc.shards': 2 } });

/** Pushes until the first frame has arrived: a subscription takes its time, and frames before it are nobody's. */
async function flowing(push, arrived) {
  return eventually('a first frame', async () => {
    await push();
    await delay(50);
    return arrived();
  });
}

/** Bytes of the frames of this length that came whole. */
async function frames(log, length) {
  const whole = (await log).filter((entry) => entry.includes('frame') && entry.at(-2) === length && entry.at(-1));
  return whole.map((entry) => entry.at(-3));
}

for (const mode of ['single', 'dual']) {
  describe(`data tracks (${mode})`, () => {
    it(`L-65 ${mode}: from JS to JS and Python, small frames and large ones`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const pia = await people.python('pia');
      assert.match(await ada.publishDataTrack('pose'), /^DTR_/);
      await Promise.all([ben.watchDataTrack('ada', 'pose'), pia.watch_data_track('ada', 'pose')]);
      const both = async () => (await frames(ben.log(), 1)).length > 0 && (await frames(pia.events(), 1)).length > 0;
      await flowing(() => ada.pushFrames('pose', [1], 1), both);
      for (let byte = 0; byte < 100; byte += 1) {
        await ada.pushFrames('pose', [byte], 200);
        await delay(5);
      }
      for (const log of [() => ben.log(), () => pia.events()]) {
        // What is late is dropped, so a slow machine gets fewer.
        const got = await eventually('frames', async () => {
          const got = await frames(log(), 200);
          return got.length >= 20 && got;
        });
        assert.equal(new Set(got).size, got.length, 'each once');
      }
      await flowing(() => ada.pushFrames('pose', [9], 60_000), async () => (await frames(ben.log(), 60_000)).includes(9));
      await ada.unpublishDataTrack('pose');
      await happened(ben, 'dataTrackDone', 'ada', 'pose');
      await eventually('it is gone', async () => (await ben.dataTracksOf('ada')).length === 0);
    });

    it(`L-65 ${mode}: from Python to JS; who has not subscribed gets nothing`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const pia = await people.python('pia');
      await pia.publish_data_track('pose');
      await pia.publish_data_track('other');
      await ada.watchDataTrack('pia', 'pose');
      await flowing(() => pia.push_frames('pose', [1], 1), async () => (await frames(ada.log(), 1)).length > 0);
      await pia.push_frames('other', [2], 10);
      await pia.push_frames('pose', [3], 10);
      await eventually('the frame', async () => (await frames(ada.log(), 10)).includes(3));
      assert.deepEqual(await frames(ada.log(), 10), [3]);
      assert.ok(!(await ben.log()).some(([, event]) => event === 'frame'), 'he has not asked');
      await pia.unpublish_data_track('pose');
      await happened(ada, 'dataTrackDone', 'pia', 'pose');
    });

    it(`L-65 ${mode}: what may not be published is refused`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const mute = await people.browser('mute', { mode, video: { canPublishData: false } });
      await ada.publishDataTrack('pose');
      for (const [who, name, message] of [
        [ada, 'pose', /name already/],
        [ada, '', /name is invalid/],
        [ada, 'n'.repeat(257), /name is invalid/],
        [mute, 'pose', /unauthorized/],
      ]) {
        const refused = await who.publishDataTrackRefused(name);
        assert.match(refused.message ?? '', message, JSON.stringify(refused));
      }
    });
  });
}
