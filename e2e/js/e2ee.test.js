// End-to-end encryption: the server forwards what it can't read (L-66).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, happened, subscribed } from '../lib/browser.js';
import { SMALL_CAMERA, gathering, meeting } from '../lib/meeting.js';

const world = meeting();
// Low rates: Chromium's own estimate of its way up must not decide what is sent.
const layer = (width, height, maxBitrate) => ({ width, height, encoding: { maxBitrate, maxFramerate: 15 } });
const LAYERS = { simulcast: true, videoEncoding: { maxBitrate: 400_000, maxFramerate: 15 }, videoSimulcastLayers: [layer(160, 90, 60_000), layer(320, 180, 150_000)] };
const KEY = 'correct horse battery staple';

const encrypted = (passphrase, roomOptions = {}) => ({ roomOptions: { ...roomOptions, passphrase } });

for (const mode of ['single', 'dual']) {
  describe(`E2EE (${mode})`, () => {
    for (const codec of ['vp8', 'h264', 'vp9']) {
      it(`L-66 ${mode}: ${codec} and sound are seen and heard with the key, and not without`, async (t) => {
        const people = gathering(world, t);
        const ada = await people.browser('ada', { mode, ...encrypted(KEY) });
        const ben = await people.browser('ben', { mode, ...encrypted(KEY) });
        const eve = await people.browser('eve', { mode, ...encrypted('something else') });
        await ada.setCamera(true, SMALL_CAMERA[0], { ...SMALL_CAMERA[1], videoCodec: codec });
        await ada.setMicrophone(true);
        const video = await subscribed(ben, 'ada', 'camera');
        const audio = await subscribed(ben, 'ada', 'microphone');
        const { tracks } = await ben.other('ada');
        assert.ok(tracks.every((track) => track.encrypted), 'TrackInfo.encryption');
        assert.equal(tracks.find((track) => track.source === 'camera').mime.toLowerCase(), `video/${codec}`);
        await eventually('pictures', async () => (await ben.received(video))?.framesDecoded > 10);
        const seen = await ben.look(video, 2000);
        assert.ok(seen.distinct > 5, JSON.stringify(seen));
        assert.ok((await ben.listen(audio, 2000)).loudest > 0.05, 'the beep');
        await subscribed(eve, 'ada', 'camera');
        await eventually('packets for eve', async () => (await eve.received(video))?.packetsReceived > 50);
        assert.equal((await eve.look(video, 1000)).distinct <= 1, true, 'nothing to see with the wrong key');
        assert.equal((await eve.received(video)).framesDecoded ?? 0, 0);
      });
    }

    it(`L-66 L-38 ${mode}: layers are switched though nobody can read them`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode, ...encrypted(KEY) });
      await ada.setCamera(true, { resolution: { width: 640, height: 360, frameRate: 15 } }, LAYERS);
      const ben = await people.browser('ben', { mode, ...encrypted(KEY) });
      const video = await subscribed(ben, 'ada', 'camera');
      const decodes = (height) =>
        eventually(`${height} lines`, async () => {
          const got = await ben.received(video);
          return got?.framesDecoded > 0 && got.frameHeight === height;
        }, 40_000);
      for (const [quality, height] of [[2, 360], [0, 90], [2, 360]]) {
        await ben.setVideoQuality(video, quality);
        await decodes(height);
        assert.ok((await ben.look(video, 2000)).distinct > 5, `${height} lines`);
      }
    });

    it(`L-66 ${mode}: data is read with the key, and not without`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode, ...encrypted(KEY) });
      const ben = await people.browser('ben', { mode, ...encrypted(KEY) });
      const eve = await people.browser('eve', { mode, ...encrypted('something else') });
      await Promise.all([ben.watchStreams('t'), eve.watchStreams('t'), ben.serveRpc()]);
      await ada.sendData('hello', { reliable: true, topic: 'greeting' });
      await happened(ben, 'dataReceived', 'ada', 'hello', undefined, 'greeting');
      await ada.sendText('a secret text', { topic: 't' });
      await happened(ben, 'text', 'ada', 13);
      assert.deepEqual(await ada.rpc('ben', 'echo', 'x'), { result: '["ada","x"]' });
      await delay(300);
      const readable = (await eve.log()).filter(([, event]) => event === 'dataReceived' || event === 'text');
      assert.deepEqual(readable, []);
    });

    it(`L-66 ${mode}: between JS and Python`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode, ...encrypted(KEY) });
      const pia = await people.python('pia', { passphrase: KEY });
      await pia.publish_video(200, 40, 40);
      await ada.setCamera(true, ...SMALL_CAMERA);
      const video = await subscribed(ada, 'pia', 'camera');
      await eventually('pictures', async () => (await ada.received(video))?.framesDecoded > 10);
      const [red, green] = (await ada.look(video, 2000)).mean;
      assert.ok(red > 120 && green < 100, `${red} ${green}`);
      const seen = await pia.look('ada');
      assert.ok(seen.distinct > 5, JSON.stringify(seen));
    });
  });
}
