// livekit-client 1.15.13, the last of the first generation: v0 signalling and two PeerConnections alone (L-61).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, happened, subscribed } from '../lib/browser.js';
import { SMALL_CAMERA, gathering, meeting } from '../lib/meeting.js';

const world = meeting();
const OLD = { page: { version: 1 } };

async function sees(venue, identity) {
  const sid = await subscribed(venue, identity, 'camera');
  await eventually(`${identity} is seen`, async () => (await venue.look(sid, 1500)).distinct >= 8);
  return sid;
}

async function hears(venue, identity) {
  const sid = await subscribed(venue, identity, 'microphone');
  await eventually(`${identity} is heard`, async () => (await venue.listen(sid, 1500)).loudest > 0.01);
}

/** Someone on the old client and someone on the new, both publishing. */
async function pair(t) {
  const people = gathering(world, t);
  const old = await people.browser('old', OLD);
  const young = await people.browser('young');
  assert.equal(await old.livekitVersion(), '1.15.13');
  assert.equal(await old.mode(), 'dual');
  for (const venue of [old, young]) {
    await venue.setCamera(true, ...SMALL_CAMERA);
    await venue.setMicrophone(true);
  }
  return { old, young };
}

describe('livekit-client 1.15.13', () => {
  it('L-61 L-01 L-10: publishes and subscribes, seen and heard both ways', async (t) => {
    const { old, young } = await pair(t);
    await sees(old, 'young');
    await sees(young, 'old');
    await hears(old, 'young');
    await hears(young, 'old');
  });

  it('L-61 L-11 L-22: mutes, unpublishes and unsubscribes', async (t) => {
    const { old, young } = await pair(t);
    const camera = await sees(young, 'old');
    await old.setMicrophone(false);
    await happened(young, 'trackMuted', 'old', 'microphone');
    await young.setMicrophone(false);
    await happened(old, 'trackMuted', 'young', 'microphone');
    await old.unpublish(camera);
    await happened(young, 'trackUnpublished', 'old', 'camera', camera);
    const theirs = await sees(old, 'young');
    await old.setSubscribed(theirs, false);
    await happened(old, 'trackUnsubscribed', 'young', 'camera', theirs);
    await old.setSubscribed(theirs, true);
    await sees(old, 'young');
  });

  it('L-61 L-44 L-48: sends and receives data, reliable and lossy', async (t) => {
    const { old, young } = await pair(t);
    for (const reliable of [true, false]) {
      const kind = reliable ? 0 : 1;
      await old.sendData(`from the old, ${reliable}`, { reliable, topic: 'chat' });
      await happened(young, 'dataReceived', 'old', `from the old, ${reliable}`, kind, 'chat');
      await young.sendData(`from the young, ${reliable}`, { reliable, topic: 'chat' });
      await happened(old, 'dataReceived', 'young', `from the young, ${reliable}`, kind, 'chat');
    }
  });

  it('L-61 L-31: resumes, and nobody loses a picture', async (t) => {
    const { old, young } = await pair(t);
    const camera = await sees(young, 'old');
    const theirs = await sees(old, 'young');
    const before = await old.me();
    await old.clearLog();
    await old.simulate('signal-reconnect');
    await happened(old, 'reconnected');
    assert.equal((await old.me()).sid, before.sid);
    for (const [venue, sid] of [[young, camera], [old, theirs]]) {
      const frames = (await venue.received(sid)).framesDecoded;
      await delay(2000);
      assert.ok((await venue.received(sid)).framesDecoded > frames + 10);
    }
  });

  it('L-61 L-60: connects anew after its node has failed', async (t) => {
    const { old, young } = await pair(t);
    await sees(young, 'old');
    const before = await old.me();
    await old.clearLog();
    await old.simulate('node-failure');
    await eventually('reconnected', async () => (await old.log()).some(([, event]) => event === 'reconnected'), 30_000);
    assert.notEqual((await old.me()).sid, before.sid);
    await sees(young, 'old');
    await sees(old, 'young');
  });
});
