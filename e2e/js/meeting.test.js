// Two Chromium pages with the unmodified livekit-client 2.23.0 and a participant on the Python SDK 1.2.0 meet: all see
// decoded frames of all and hear all, in single and dual PeerConnection mode.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, subscribed } from '../lib/browser.js';
import { gathering, meeting } from '../lib/meeting.js';

const world = meeting();

const RED = [200, 30, 40];

/** Chromium's fake camera is a moving pie on plain ground; its decoded frames must move too. */
async function sees(venue, identity) {
  const sid = await subscribed(venue, identity, 'camera');
  const seen = await eventually(`${identity} is seen`, async () => {
    const look = await venue.look(sid, 1500);
    return look.distinct >= 8 && look;
  });
  assert.ok(seen.size[0] >= 160, `${seen.size}`);
  return seen;
}

async function hears(venue, identity) {
  const sid = await subscribed(venue, identity, 'microphone');
  return eventually(`${identity} is heard`, async () => {
    const sound = await venue.listen(sid, 1500);
    return sound.loudest > 0.01 && sound;
  });
}

function near(mean, colour, slack) {
  mean.forEach((value, channel) => assert.ok(Math.abs(value - colour[channel]) <= slack, `${mean} is not ${colour}`));
}

for (const mode of ['single', 'dual']) {
  describe(`meeting of two Chromiums (${mode}) and Python`, () => {
    it(`L-01 L-10 L-33 L-41 L-61 ${mode}: everybody sees and hears everybody`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const pia = await people.python('pia');
      assert.equal(await ada.mode(), mode);
      await Promise.all([ada.enableCameraAndMicrophone(), ben.enableCameraAndMicrophone()]);
      await pia.publish_video(...RED);
      await pia.publish_audio(440);
      await sees(ada, 'ben');
      await sees(ben, 'ada');
      await hears(ada, 'ben');
      await hears(ben, 'ada');
      for (const venue of [ada, ben]) {
        const seen = await sees(venue, 'pia');
        near(seen.mean, RED, 24);
        const heard = await hears(venue, 'pia');
        assert.ok(Math.abs(heard.hertz - 440) < 12, `${heard.hertz} Hz is not the tone`);
      }
      for (const identity of ['ada', 'ben']) {
        const seen = await eventually(`Python sees ${identity}`, async () => {
          const look = await pia.look(identity, 2);
          return look.distinct >= 8 && look;
        }, 20_000);
        assert.ok(seen.size[0] >= 160, JSON.stringify(seen));
        const heard = await pia.listen(identity, 3);
        assert.ok(heard.loudest > 0.01, `Python hears nothing of ${identity}: ${JSON.stringify(heard)}`);
      }
    });
  });
}

describe('the media of Chromium and Python', () => {
  it('P-1: is encrypted by AES-GCM, which costs a fifth of AES-CM with HMAC-SHA1', async (t) => {
    const people = gathering(world, t);
    const profiles = async () => {
      const counters = Object.entries(await world.server.metrics());
      const sum = (wanted) => counters.filter(([name]) => wanted.test(name)).reduce((all, [, count]) => all + count, 0);
      return { gcm: sum(/^odeon_srtp_profile_total\{profile="AEAD_AES_/), all: sum(/^odeon_srtp_profile_total/) };
    };
    const before = await profiles();
    assert.equal(before.gcm, before.all);
    await people.browser('ada');
    await people.python('pia');
    const after = await eventually('two more connections', async () => {
      const now = await profiles();
      return now.all >= before.all + 2 && now;
    });
    assert.equal(after.gcm, after.all, 'another profile too');
  });
});

describe('what connect and enableCameraAndMicrophone send by default', () => {
  it('L-01 L-04: a simulcast camera is taken whole, and shown in its highest layer', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    const ben = await people.browser('ben');
    await ada.enableCameraAndMicrophone();
    const sid = await subscribed(ben, 'ada', 'camera');
    const layers = await eventually('three layers', async () => {
      const mine = (await ada.me()).tracks.find((track) => track.source === 'camera');
      const sent = await ada.sent(mine.sid);
      return sent.length === 3 && sent.every((layer) => layer.packetsSent > 0) && sent;
    }, 20_000);
    assert.deepEqual(layers.map((layer) => layer.rid).sort(), ['f', 'h', 'q']);
    // What the camera's encoder makes of its layers changes with the machine's load: compared with what it sends now.
    const highest = async () => {
      const now = await ada.sent((await ada.me()).tracks.find((track) => track.source === 'camera').sid);
      return Math.max(...now.filter((layer) => layer.framesPerSecond > 0).map((layer) => layer.frameWidth ?? 0));
    };
    await eventually('the highest layer', async () => (await ben.look(sid, 600)).size[0] === (await highest()), 20_000);
  });

  it('L-19 L-34: each track publishes once, with a sid of its kind', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    await ada.enableCameraAndMicrophone();
    const { tracks } = await ada.me();
    assert.equal(tracks.length, 2);
    assert.match(tracks.find((track) => track.source === 'camera').sid, /^TR_VC[2-9A-HJ-NP-Za-km-z]{12}$/);
    assert.match(tracks.find((track) => track.source === 'microphone').sid, /^TR_AM[2-9A-HJ-NP-Za-km-z]{12}$/);
  });
});
