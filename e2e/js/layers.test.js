// Layers of pictures, as subscribers get them: chosen, sized by the element, cut off, fitted to a narrow network; VP9 and
// AV1, which hold all layers in one stream.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, subscribed } from '../lib/browser.js';
import { gathering, meeting } from '../lib/meeting.js';
import { startRelay, throughRelay } from '../lib/relay.js';

const world = meeting({ settings: { 'rtc.shards': 1 } });
const [LOW, HIGH] = [0, 2];
const CAPTURE = { resolution: { width: 640, height: 360, frameRate: 15 } };
// Low rates: Chromium's own estimate of its way up must not decide what is sent.
const LAYERS = { simulcast: true, videoEncoding: { maxBitrate: 400_000, maxFramerate: 15 }, videoSimulcastLayers: [{ width: 160, height: 90, encoding: { maxBitrate: 60_000, maxFramerate: 15 } }, { width: 320, height: 180, encoding: { maxBitrate: 150_000, maxFramerate: 15 } }] };
/** Software encoders of three layers need a while on a busy machine. */
const PATIENCE = 40_000;

const decodes = (venue, sid, fits, what) =>
  eventually(what, async () => {
    const got = await venue.received(sid);
    return got?.framesDecoded > 0 && fits(got.frameHeight) && got;
  }, PATIENCE);

for (const mode of ['single', 'dual']) {
  describe(`layers (${mode})`, () => {
    it(`L-04 L-38 ${mode}: setVideoQuality changes the size of what is decoded`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      await ada.setCamera(true, CAPTURE, LAYERS);
      const ben = await people.browser('ben', { mode });
      const sid = await subscribed(ben, 'ada', 'camera');
      await decodes(ben, sid, (height) => height === 360, 'the highest layer');
      await ben.setVideoQuality(sid, LOW);
      await decodes(ben, sid, (height) => height === 90, 'the lowest layer');
      await ben.setVideoQuality(sid, HIGH);
      await decodes(ben, sid, (height) => height === 360, 'the highest layer again');
    });
  });
}

describe('tracks', () => {
  it('L-37: setEnabled(false) stops the media, true brings it back', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    await ada.setCamera(true, CAPTURE, LAYERS);
    const ben = await people.browser('ben');
    const sid = await subscribed(ben, 'ada', 'camera');
    await decodes(ben, sid, () => true, 'a picture');
    await ben.setEnabled(sid, false);
    await delay(1000);
    const before = (await ben.received(sid)).framesReceived;
    await delay(2000);
    assert.ok((await ben.received(sid)).framesReceived - before <= 1, 'nothing comes');
    await ben.setEnabled(sid, true);
    await eventually('it is back', async () => (await ben.received(sid)).framesDecoded > before + 10, PATIENCE);
  });

  it('L-37: setVideoFPS leaves out frames, and brings them back, without a freeze', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    await ada.setCamera(true, CAPTURE, LAYERS);
    const ben = await people.browser('ben');
    const sid = await subscribed(ben, 'ada', 'camera');
    await decodes(ben, sid, (height) => height === 360, 'the highest layer');
    const shownIn = async (ms) => {
      const before = (await ben.received(sid)).framesDecoded;
      await delay(ms);
      return (await ben.received(sid)).framesDecoded - before;
    };
    await eventually('all frames', async () => (await shownIn(2000)) >= 26, PATIENCE);
    await ben.setVideoFps(sid, 8);
    await delay(1500);
    const few = await shownIn(4000);
    assert.ok(few >= 20 && few <= 40, `${few} frames in 4 s of 7.5 a second`);
    const { freezeCount, keyFramesDecoded } = await ben.received(sid);
    await ben.setVideoFps(sid, 30);
    await eventually('all frames again', async () => (await shownIn(2000)) >= 26, PATIENCE);
    const after = await ben.received(sid);
    assert.equal(after.freezeCount, freezeCount);
    assert.equal(after.keyFramesDecoded, keyFramesDecoded, 'no keyframe was needed');
  });

  it('L-39: adaptiveStream takes the layer that fills the element', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    await ada.setCamera(true, CAPTURE, LAYERS);
    const ben = await people.browser('ben', { roomOptions: { adaptiveStream: { pixelDensity: 1 } } });
    const sid = await subscribed(ben, 'ada', 'camera');
    await ben.showIn(sid, 160, 90);
    await decodes(ben, sid, (height) => height === 90, 'the lowest layer in a small element');
    await ben.showIn(sid, 640, 360);
    await decodes(ben, sid, (height) => height === 360, 'the highest layer in a large one');
  });

  it('L-39 Q-3: a network that narrows gives a lower layer, and the old one when it widens', async (t) => {
    const [port] = world.server.udpPorts();
    const relay = await startRelay({ to: `127.0.0.1:${port}`, delayMs: 20, downKbps: 5000 });
    t.after(() => relay.stop());
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    await ada.setCamera(true, CAPTURE, LAYERS);
    const ben = await people.browser('ben', { page: { before: { script: throughRelay, argument: relay.port } } });
    const sid = await subscribed(ben, 'ada', 'camera');
    await decodes(ben, sid, (height) => height === 360, 'the highest layer');
    relay.limitDown(200);
    await decodes(ben, sid, (height) => height < 360, 'a lower layer through 0.2 Mbit/s');
    relay.limitDown(5000);
    await decodes(ben, sid, (height) => height === 360, 'the highest layer again');
  });
});

/** What a publisher sends, in each codec that holds its layers in one stream or has a stream for each. */
const SCALABLE = { videoEncoding: LAYERS.videoEncoding };
const CODECS = [
  ['vp9', 'L3T3_KEY', { ...SCALABLE, scalabilityMode: 'L3T3_KEY' }],
  ['vp9', 'L3T3', { ...SCALABLE, scalabilityMode: 'L3T3' }],
  ['av1', 'L3T3_KEY', { ...SCALABLE, scalabilityMode: 'L3T3_KEY' }],
  ['av1', 'L3T3', { ...SCALABLE, scalabilityMode: 'L3T3' }],
  ['h264', 'simulcast', LAYERS],
];

for (const [codec, mode, options] of CODECS) {
  describe(`${codec} ${mode}`, () => {
    it(`L-62 ${codec} ${mode}: is shown, loses its upper layers and gets them back without a break`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada');
      if (!(await ada.canEncode(codec))) return t.skip(`this Chromium does not encode ${codec}`);
      await ada.setCamera(true, CAPTURE, { ...options, videoCodec: codec, backupCodec: false });
      const ben = await people.browser('ben');
      const sid = await subscribed(ben, 'ada', 'camera');
      await decodes(ben, sid, (height) => height === 360, 'the whole picture');
      assert.match((await ben.codecOf(sid)).toLowerCase(), new RegExp(codec));
      await ben.setVideoQuality(sid, LOW);
      await decodes(ben, sid, (height) => height < 360, 'its lower layers alone');
      const low = await ben.received(sid);
      await delay(3000);
      const later = await ben.received(sid);
      assert.ok(later.framesDecoded - low.framesDecoded >= 15, `${later.framesDecoded - low.framesDecoded} frames in 3 s`);
      await ben.setVideoQuality(sid, HIGH);
      await decodes(ben, sid, (height) => height === 360, 'the whole picture again');
    });
  });
}
