// The Node SDK, @livekit/rtc-node 1.1.0, in this process: it publishes generated frames, subscribes, and speaks data with
// Chromium (L-61).
import { AudioFrame, AudioSource, AudioStream, LocalAudioTrack, LocalVideoTrack, Room, RoomEvent, SimulateScenarioKind, TrackKind, TrackPublishOptions, TrackSource, VideoBufferType, VideoFrame, VideoSource, VideoStream, dispose } from '@livekit/rtc-node';
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, happened, subscribed } from '../lib/browser.js';
import { SMALL_CAMERA, gathering, meeting } from '../lib/meeting.js';

const [WIDTH, HEIGHT] = [320, 180];
const [RATE, BLOCK] = [48_000, 480];
const world = meeting();
after(() => dispose());

/** A participant of the Node SDK that leaves when the test ends. */
async function join(t, people, identity) {
  const room = new Room();
  const data = [];
  room.on(RoomEvent.DataReceived, (bytes, from, kind, topic) => data.push([from?.identity, new TextDecoder().decode(bytes), topic]));
  await room.connect(world.server.ws, await people.token(identity), { autoSubscribe: true, dynacast: false });
  const stop = new AbortController();
  t.after(async () => {
    stop.abort();
    await room.disconnect();
  });
  return { room, data, signal: stop.signal };
}

/** Publishes blue pictures with a white bar that moves. */
async function film({ room, signal }) {
  const source = new VideoSource(WIDTH, HEIGHT);
  const track = LocalVideoTrack.createVideoTrack('picture', source);
  await room.localParticipant.publishTrack(track, new TrackPublishOptions({ source: TrackSource.SOURCE_CAMERA, simulcast: false }));
  const blue = Buffer.alloc(WIDTH * HEIGHT * 4, Buffer.from([20, 40, 210, 255]));
  const paint = async () => {
    for (let number = 0; !signal.aborted; number += 1) {
      const picture = Uint8Array.from(blue);
      const bar = (number * 8) % (WIDTH - 16);
      for (let row = 0; row < HEIGHT; row += 1) picture.fill(255, (row * WIDTH + bar) * 4, (row * WIDTH + bar + 16) * 4);
      source.captureFrame(new VideoFrame(picture, WIDTH, HEIGHT, VideoBufferType.RGBA));
      await delay(66);
    }
  };
  paint();
}

/** Publishes a tone; the source sets the pace. */
async function hum({ room, signal }, hertz) {
  const source = new AudioSource(RATE, 1);
  const track = LocalAudioTrack.createAudioTrack('tone', source);
  await room.localParticipant.publishTrack(track, new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE }));
  const sound = async () => {
    for (let at = 0; !signal.aborted; at += BLOCK) {
      const samples = Int16Array.from({ length: BLOCK }, (_, step) => Math.sin((2 * Math.PI * hertz * (at + step)) / RATE) * 12_000);
      await source.captureFrame(new AudioFrame(samples, RATE, 1, BLOCK));
    }
  };
  sound().catch((error) => signal.aborted || console.error(error));
}

function trackOf(room, identity, kind) {
  return eventually(`${identity}'s track of kind ${kind}`, () => {
    const publications = [...(room.remoteParticipants.get(identity)?.trackPublications.values() ?? [])];
    return publications.find((publication) => publication.kind === kind && publication.track)?.track;
  });
}

/** As many frames as asked for, then the stream is given up. */
async function take(stream, count) {
  const reader = stream.getReader();
  const got = [];
  while (got.length < count) {
    const { value, done } = await reader.read();
    if (done) break;
    got.push(value);
  }
  await reader.cancel();
  return got;
}

describe('@livekit/rtc-node 1.1.0', () => {
  it('L-61 L-01 L-10: is seen and heard by Chromium', { timeout: 60_000 }, async (t) => {
    const people = gathering(world, t);
    const ben = await people.browser('ben');
    const node = await join(t, people, 'node');
    await film(node);
    await hum(node, 440);
    const camera = await subscribed(ben, 'node', 'camera');
    const seen = await eventually('frames', async () => {
      const look = await ben.look(camera, 1500);
      return look.distinct >= 8 && look;
    });
    assert.ok(seen.mean[2] > 150 && seen.mean[0] < 90, `${seen.mean} is not blue`);
    const microphone = await subscribed(ben, 'node', 'microphone');
    const heard = await eventually('the tone', async () => {
      const sound = await ben.listen(microphone, 1500);
      return sound.loudest > 0.01 && sound;
    });
    assert.ok(Math.abs(heard.hertz - 440) < 12, `${heard.hertz} Hz`);
  });

  it('L-61 L-41: decodes what Chromium publishes', { timeout: 60_000 }, async (t) => {
    const people = gathering(world, t);
    const ben = await people.browser('ben');
    const node = await join(t, people, 'node');
    await ben.setCamera(true, ...SMALL_CAMERA);
    await ben.setMicrophone(true);
    const frames = await take(new VideoStream(await trackOf(node.room, 'ben', TrackKind.KIND_VIDEO)), 20);
    assert.ok(frames.every(({ frame }) => frame.width >= 160));
    const sums = new Set(frames.map(({ frame }) => frame.data.reduce((sum, byte) => (sum * 31 + byte) % 4294967291, 0)));
    assert.ok(sums.size >= 8, `${sums.size} of 20 frames differ`);
    const blocks = await take(new AudioStream(await trackOf(node.room, 'ben', TrackKind.KIND_AUDIO)), 300);
    const loudest = blocks.reduce((most, block) => block.data.reduce((max, sample) => Math.max(max, Math.abs(sample)), most), 0);
    assert.ok(loudest > 300, `${loudest}`);
  });

  it('L-61 L-44 L-48: data goes both ways, reliable and lossy', { timeout: 60_000 }, async (t) => {
    const people = gathering(world, t);
    const ben = await people.browser('ben');
    const node = await join(t, people, 'node');
    await happened(ben, 'participantConnected', 'node');
    for (const reliable of [true, false]) {
      await node.room.localParticipant.publishData(new TextEncoder().encode(`node ${reliable}`), { reliable, topic: 'chat' });
      await happened(ben, 'dataReceived', 'node', `node ${reliable}`, reliable ? 0 : 1, 'chat');
      await ben.sendData(`ben ${reliable}`, { reliable, topic: 'chat' });
      await eventually('data', () => node.data.some(([from, text, topic]) => from === 'ben' && text === `ben ${reliable}` && topic === 'chat'));
    }
  });

  it('L-61 L-65: calls a method of the browser, and is called', { timeout: 60_000 }, async (t) => {
    const people = gathering(world, t);
    const ben = await people.browser('ben');
    const node = await join(t, people, 'node');
    await happened(ben, 'participantConnected', 'node');
    await ben.serveRpc();
    node.room.localParticipant.registerRpcMethod('echo', async ({ callerIdentity, payload }) => JSON.stringify([callerIdentity, payload]));
    const answer = await node.room.localParticipant.performRpc({ destinationIdentity: 'ben', method: 'echo', payload: 'hello' });
    assert.equal(answer, '["node","hello"]');
    assert.deepEqual(await ben.rpc('node', 'echo', 'hello'), { result: '["ben","hello"]' });
    const failing = node.room.localParticipant.performRpc({ destinationIdentity: 'ben', method: 'fail', payload: '' });
    await assert.rejects(failing, (error) => error.code === 101);
  });

  it('L-61 L-31 L-60: resumes its session, and its picture goes on', { timeout: 90_000 }, async (t) => {
    const people = gathering(world, t);
    const ben = await people.browser('ben');
    const node = await join(t, people, 'node');
    await film(node);
    const camera = await subscribed(ben, 'node', 'camera');
    await eventually('frames', async () => (await ben.look(camera, 1500)).distinct >= 8);
    const { sid } = node.room.localParticipant;
    await ben.clearLog();
    await node.room.simulateScenario(SimulateScenarioKind.SIMULATE_SIGNAL_RECONNECT);
    const decoded = async () => (await ben.received(camera)).framesDecoded;
    for (let second = 0; second < 4; second += 1) {
      const before = await decoded();
      await delay(1500);
      assert.ok((await decoded()) > before + 5, 'the picture goes on');
    }
    assert.equal(node.room.localParticipant.sid, sid, 'the same session');
    await node.room.localParticipant.publishData(new TextEncoder().encode('after'), { reliable: true, topic: 'chat' });
    await happened(ben, 'dataReceived', 'node', 'after', 0, 'chat');
    assert.ok(!(await ben.log()).some(([, event]) => event === 'participantDisconnected'));
  });
});
