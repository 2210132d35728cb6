// L-29: media gets through firewalls. The clients stand in a network namespace, behind a firewall that lets ever less
// through: UDP to the media ports, TCP to the media port, UDP to the relay, TCP to it, and at last nothing but TCP to 443.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { after, before, it } from 'node:test';
import { eventually, happened, startBrowser, subscribed } from '../lib/browser.js';
import { SMALL_CAMERA } from '../lib/meeting.js';
import { namespacesMissing, openNetwork } from '../lib/network.js';
import { startPython } from '../lib/python.js';
import { flows, reconnected } from '../lib/reconnection.js';
import { startServer, total } from '../lib/server.js';
import { token } from '../lib/token.js';

const missing = namespacesMissing();
const skip = missing ?? false;
const TCP_PORT = 7881;
const TURN_PORT = 3478;
const HTTPS_PORT = 443;
const world = {};

before(async () => {
  if (missing) return;
  world.network = openNetwork();
  const { server, wrapper } = world.network;
  world.server = await startServer({
    'http.bind': `127.0.0.1,${server}`,
    'rtc.bind': server,
    'rtc.tcp_port': TCP_PORT,
    'rtc.shards': 2,
    'tls.self_signed': true,
    'tls.bind': '127.0.0.1',
    'tls.port': 0,
    'turn.enabled': true,
    'turn.domain': server,
    'turn.udp_port': TURN_PORT,
    'turn.tcp_port': TURN_PORT,
    'turn.tls_port': HTTPS_PORT,
  });
  world.url = `ws://${server}:${world.server.port}`;
  // What stands in front of a venue: signalling by port 443, on an address of its own.
  world.front = await forward(world.network.front, HTTPS_PORT, world.server.port);
  world.browser = await startBrowser({ program: wrapper });
});

after(async () => {
  await world.browser?.stop();
  world.front?.close();
  await world.server?.stop();
  world.network?.close();
});

async function forward(host, port, to) {
  const server = createServer((client) => {
    const onward = connect(to, '127.0.0.1');
    client.pipe(onward).pipe(client);
    for (const socket of [client, onward]) socket.on('error', () => (client.destroy(), onward.destroy()));
  }).listen(port, host);
  await once(server, 'listening');
  return server;
}

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
    world.network.allow(`tcp/${TCP_PORT}`, `tcp/${world.server.port}`);
    await theyMeet(test, `tcp-${mode}`, mode, (path) => path.protocol === 'tcp' && path.port === TCP_PORT);
    const metrics = await world.server.metrics();
    assert.ok(metrics['odeon_stream_connections{kind="ice"}'] >= 2);
  });

  it(`L-29, L-02: with UDP to the relay alone media goes by it (${mode})`, { skip }, async (test) => {
    world.network.allow(`udp/${TURN_PORT}`, `tcp/${world.server.port}`);
    await theyMeet(test, `relay-${mode}`, mode, (path) => path.kind === 'relay' && path.relay === 'udp');
    const metrics = await world.server.metrics();
    assert.ok(total(metrics, 'odeon_turn_allocations') >= 2 && total(metrics, 'odeon_turn_bytes_in_total') > 10_000);
  });

  it(`L-29, L-02: with TCP to the relay alone media goes by it (${mode})`, { skip }, async (test) => {
    world.network.allow(`tcp/${TURN_PORT}`, `tcp/${world.server.port}`);
    await theyMeet(test, `relay-tcp-${mode}`, mode, (path) => path.kind === 'relay' && path.relay === 'tcp');
    const metrics = await world.server.metrics();
    assert.ok(metrics['odeon_stream_connections{kind="turn"}'] >= 2);
  });

  it(`L-29, L-30: with nothing but 443/tcp media goes by the relay over TLS (${mode})`, { skip }, async (test) => {
    world.network.allow(`tcp/${HTTPS_PORT}`);
    const open = world.url;
    world.url = `ws://${world.network.front}:${HTTPS_PORT}`;
    test.after(() => (world.url = open));
    await theyMeet(test, `tls-${mode}`, mode, (path) => path.kind === 'relay' && path.relay === 'tls');
    const metrics = await world.server.metrics();
    assert.ok(metrics['odeon_stream_connections{kind="turn"}'] >= 2);
  });
}

for (const mode of ['single', 'dual']) {
  it(`L-60 L-29 force-tls: the next session goes by the relay over TLS, whatever else is open (${mode})`, { skip }, async (test) => {
    world.network.allow('udp', 'tcp');
    const [alice, bob] = await theyMeet(test, `force-tls-${mode}`, mode, (path) => path.protocol === 'udp' && path.kind !== 'relay');
    await alice.simulate('force-tls');
    await reconnected(alice);
    await flows(bob, 'alice');
    await eventually('the path', async () => (await alice.paths()).every((path) => path && path.kind === 'relay' && path.relay === 'tls'));
  });
}

for (const [way, rules] of [['over TCP', [`tcp/${TCP_PORT}`, 'tcp/SIGNALLING']], ['by the relay', [`udp/${TURN_PORT}`, 'tcp/SIGNALLING']]]) {
  it(`L-29: LiveKit's Python client gets through ${way}`, { skip }, async (test) => {
    world.network.allow(...rules.map((rule) => rule.replace('SIGNALLING', world.server.port)));
    const room = `python ${way}`;
    const [reader, writer] = [await python(test, room, 'reader'), await python(test, room, 'writer')];
    await writer.publish_video(200, 40, 40);
    await eventually('its pictures', async () => (await reader.look('writer', 1.0)).distinct >= 5);
  });
}
