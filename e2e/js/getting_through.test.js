// L-29: media gets through firewalls. The clients stand in a network namespace, behind a firewall that lets ever less
// through: without UDP media goes over TCP to rtc.tcp_port.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { eventually, happened, startBrowser, subscribed } from '../lib/browser.js';
import { SMALL_CAMERA } from '../lib/meeting.js';
import { namespacesMissing, openNetwork } from '../lib/network.js';
import { startPython } from '../lib/python.js';
import { startServer } from '../lib/server.js';
import { token } from '../lib/token.js';

const missing = namespacesMissing();
const skip = missing ?? false;
const TCP_PORT = 7881;
const world = {};

before(async () => {
  if (missing) return;
  world.network = openNetwork();
  const { server, wrapper } = world.network;
  world.server = await startServer({ 'http.bind': `127.0.0.1,${server}`, 'rtc.bind': server, 'rtc.tcp_port': TCP_PORT, 'rtc.shards': 2 });
  world.url = `ws://${server}:${world.server.port}`;
  world.browser = await startBrowser({ program: wrapper });
});

after(async () => {
  await world.browser?.stop();
  await world.server?.stop();
  world.network?.close();
});

async function guest(test, room, identity, mode = 'single') {
  const opened = await world.browser.page();
  test.after(() => opened.close());
  const options = mode === 'dual' ? { singlePeerConnection: false } : {};
  await opened.venue.join(world.url, await token(room, identity), options);
  return opened.venue;
}

async function python(test, room, identity) {
  const process = await startPython({ program: world.network.wrapper });
  test.after(() => process.stop());
  await process.join(world.url, await token(room, identity), true);
  return process;
}

/** Both see and hear each other, by a path that `fits`. */
async function theyMeet(test, room, mode, fits) {
  const alice = await guest(test, room, 'alice', mode);
  const bob = await guest(test, room, 'bob', mode);
  await alice.setCamera(true, ...SMALL_CAMERA);
  const camera = await subscribed(bob, 'alice', 'camera');
  const seen = await eventually('moving pictures', async () => {
    const look = await bob.look(camera, 1000);
    return look.distinct >= 5 && look;
  });
  assert.ok(seen.size[0] > 0);
  for (const person of [alice, bob]) {
    await eventually('the path', async () => (await person.paths()).every((path) => path && fits(path)));
  }
  await bob.sendData('hello', { reliable: true });
  await happened(alice, 'dataReceived', 'bob', 'hello', undefined, undefined);
  return [alice, bob];
}

for (const mode of ['single', 'dual']) {
  it(`L-29: with UDP open media goes by UDP (${mode})`, { skip }, async (test) => {
    world.network.allow('udp', 'tcp');
    await theyMeet(test, `open-${mode}`, mode, (path) => path.protocol === 'udp' && path.kind !== 'relay');
  });

  it(`L-29: without UDP media goes over TCP (${mode})`, { skip }, async (test) => {
    world.network.allow('tcp');
    await theyMeet(test, `tcp-${mode}`, mode, (path) => path.protocol === 'tcp' && path.port === TCP_PORT);
    const metrics = await world.server.metrics();
    assert.ok(metrics['odeon_stream_connections{kind="ice"}'] >= 2);
  });
}

it('L-29: LiveKit\'s Python client gets through over TCP', { skip }, async (test) => {
  world.network.allow('tcp');
  const [reader, writer] = [await python(test, 'python-tcp', 'reader'), await python(test, 'python-tcp', 'writer')];
  await writer.publish_video(200, 40, 40);
  await eventually('its pictures', async () => (await reader.look('writer', 1.0)).distinct >= 5);
});
