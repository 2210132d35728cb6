// livekit-client 1.15.13, the last of the first generation: v0 signalling and two PeerConnections alone (L-61).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { RoomServiceClient } from 'livekit-server-sdk';
import { eventually, happened, subscribed } from '../lib/browser.js';
import { SMALL_CAMERA, gathering, meeting } from '../lib/meeting.js';
import { KEY, SECRET } from '../lib/token.js';

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

  it('L-61 L-05 L-21 L-35: takes tracks by choice', async (t) => {
    const people = gathering(world, t);
    const young = await people.browser('young');
    const camera = await young.setCamera(true, ...SMALL_CAMERA);
    const old = await people.browser('old', { ...OLD, connectOptions: { autoSubscribe: false } });
    await eventually('it is listed', async () => (await old.other('young'))?.tracks.some((track) => track.sid === camera));
    await old.setSubscribed(camera, true);
    await happened(old, 'trackSubscribed', 'young', 'camera', camera);
    await sees(old, 'young');
  });

  it('L-61 L-04 L-38: chooses among the layers of the new client, which chooses among its own', async (t) => {
    const people = gathering(world, t);
    const old = await people.browser('old', OLD);
    const young = await people.browser('young');
    const layer = (width, height, maxBitrate) => ({ width, height, encoding: { maxBitrate, maxFramerate: 15 } });
    const layers = { simulcast: true, videoEncoding: { maxBitrate: 400_000, maxFramerate: 15 }, videoSimulcastLayers: [layer(160, 90, 60_000), layer(320, 180, 150_000)] };
    const capture = { resolution: { width: 640, height: 360, frameRate: 15 } };
    for (const [publisher, subscriber, identity] of [[young, old, 'young'], [old, young, 'old']]) {
      await publisher.setCamera(true, capture, layers);
      const sid = await subscribed(subscriber, identity, 'camera');
      for (const [quality, height] of [[2, 360], [0, 90], [2, 360]]) {
        await subscriber.setVideoQuality(sid, quality);
        await eventually(`${height} lines of ${identity}`, async () => (await subscriber.received(sid))?.frameHeight === height, 40_000);
      }
      await publisher.setCamera(false);
    }
  });

  it('L-61 L-06 L-43: is moderated, told of by its backend, and removed', async (t) => {
    const { old, young } = await pair(t);
    const camera = await sees(young, 'old');
    const service = new RoomServiceClient(world.server.http, KEY, SECRET);
    const [{ name: room }] = (await service.listRooms()).filter((each) => each.numParticipants === 2);
    const muted = await service.mutePublishedTrack(room, 'old', camera, true);
    assert.equal(muted.muted, true);
    await happened(young, 'trackMuted', 'old', 'camera', camera);
    await service.updateParticipant(room, 'old', 'row 3');
    for (const venue of [old, young]) await happened(venue, 'participantMetadataChanged', 'old', '', 'row 3');
    await service.removeParticipant(room, 'old');
    await happened(old, 'disconnected');
    await happened(young, 'participantDisconnected', 'old');
  });
});
