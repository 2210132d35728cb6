// Layers that nobody takes are paused at the source, and a backup codec for who lacks the primary one (L-63): what the
// senders' and receivers' own counts say.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, subscribed } from '../lib/browser.js';
import { receivesNo } from '../lib/codecs.js';
import { gathering, meeting } from '../lib/meeting.js';

const SIMULCAST = 1; // BackupCodecPolicy: each gets the codec that they take

const world = meeting();
const PATIENCE = 30_000;
const DYNACAST = { roomOptions: { dynacast: true } };

/** The rids of the layers that were encoded within the next second and a half, from low to high. */
async function encoded(venue, sid) {
  const frames = async () => new Map((await venue.sent(sid)).map((layer) => [layer.rid ?? '', layer.framesEncoded]));
  const before = await frames();
  await delay(1500);
  const after = await frames();
  return [...after.keys()].filter((rid) => after.get(rid) > (before.get(rid) ?? 0)).sort((a, b) => 'qhf'.indexOf(a) - 'qhf'.indexOf(b)).join('');
}

const sends = (venue, sid, layers) =>
  eventually(`layers ${layers || 'none'} are sent`, async () => (await encoded(venue, sid)) === layers, PATIENCE);

const sees = (venue, sid) => eventually('a moving picture', async () => (await venue.look(sid, 1000)).distinct >= 5, PATIENCE);

for (const mode of ['single', 'dual']) {
  describe(`dynacast (${mode})`, () => {
    it(`L-63 ${mode}: layers that nobody takes stop at the source and come back at once when somebody does`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode, ...DYNACAST });
      const ben = await people.browser('ben', { mode });
      const camera = await ada.setCamera(true);
      await subscribed(ben, 'ada', 'camera');
      await sends(ada, camera, 'qhf');
      await ben.setVideoQuality(camera, 0);
      await sends(ada, camera, 'q');
      await sees(ben, camera);
      await ben.setVideoQuality(camera, 2);
      await sends(ada, camera, 'qhf');
      await ben.setSubscribed(camera, false);
      await sends(ada, camera, '');
    });

    it(`L-63 ${mode}: who lacks VP9 gets VP8 and the others keep VP9`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode, ...DYNACAST });
      const ben = await people.browser('ben', { mode });
      const size = { resolution: { width: 640, height: 360, frameRate: 15 } };
      const camera = await ada.setCamera(true, size, { videoCodec: 'vp9', backupCodec: { codec: 'vp8' }, backupCodecPolicy: SIMULCAST });
      await subscribed(ben, 'ada', 'camera');
      await sees(ben, camera);
      assert.equal(await ben.decodes(camera), 'video/VP9');
      const old = await people.browser('old', { mode, page: receivesNo('video/VP9') });
      await subscribed(old, 'ada', 'camera');
      await sees(old, camera);
      assert.equal(await old.decodes(camera), 'video/VP8');
      await sees(ben, camera);
      assert.equal(await ben.decodes(camera), 'video/VP9');
    });

    it(`L-63 ${mode}: in a small room one who lacks VP9 makes VP8 everybody's`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode, ...DYNACAST });
      const ben = await people.browser('ben', { mode });
      const size = { resolution: { width: 640, height: 360, frameRate: 15 } };
      const camera = await ada.setCamera(true, size, { videoCodec: 'vp9', backupCodec: { codec: 'vp8' } });
      await subscribed(ben, 'ada', 'camera');
      await sees(ben, camera);
      assert.equal(await ben.decodes(camera), 'video/VP9');
      const old = await people.browser('old', { mode, page: receivesNo('video/VP9') });
      await subscribed(old, 'ada', 'camera');
      await sees(old, camera);
      await eventually('VP8 for everybody', async () => (await ben.decodes(camera)) === 'video/VP8');
      await sees(ben, camera);
      const late = await people.browser('late', { mode });
      await subscribed(late, 'ada', 'camera');
      await sees(late, camera);
      assert.equal(await late.decodes(camera), 'video/VP8');
    });
  });
}
