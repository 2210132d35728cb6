// L-30: one port for everything. The clients stand behind a firewall that lets nothing through but TCP to 443, where the venue has
// its page, its signalling and its relay; who wants which is told by ALPN.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { eventually, startBrowser, subscribed } from '../lib/browser.js';
import { SMALL_CAMERA } from '../lib/meeting.js';
import { namespacesMissing, openNetwork } from '../lib/network.js';
import { startServer } from '../lib/server.js';
import { token } from '../lib/token.js';

const missing = namespacesMissing();
const skip = missing ?? false;
const PORT = 443;
const world = {};

before(async () => {
  if (missing) return;
  world.network = openNetwork();
  const { server, wrapper } = world.network;
  world.server = await startServer({
    'rtc.bind': server,
    'tls.self_signed': true,
    'tls.bind': server,
    'tls.port': PORT,
    'turn.enabled': true,
    'turn.domain': server,
    'turn.udp_port': 0,
    'turn.tcp_port': 0,
    'turn.tls_port': PORT,
  });
  world.browser = await startBrowser({ program: wrapper });
  world.network.allow(`tcp/${PORT}`);
});

after(async () => {
  await world.browser?.stop();
  await world.server?.stop();
  world.network?.close();
});

for (const mode of ['single', 'dual']) {
  it(`L-30 L-29: with one port for all, people meet by wss and see each other through the relay behind it (${mode})`, { skip }, async (test) => {
    const join = async (identity) => {
      const opened = await world.browser.page();
      test.after(() => opened.close());
      const options = mode === 'dual' ? { singlePeerConnection: false } : {};
      await opened.venue.join(`wss://${world.network.server}:${PORT}`, await token(`one-${mode}`, identity), options);
      return opened.venue;
    };
    const [alice, bob] = [await join('alice'), await join('bob')];
    await alice.setCamera(true, ...SMALL_CAMERA);
    const camera = await subscribed(bob, 'alice', 'camera');
    await eventually('moving pictures', async () => (await bob.look(camera, 1000)).distinct >= 5);
    for (const person of [alice, bob]) {
      await eventually('the path', async () => (await person.paths()).every((path) => path && path.kind === 'relay' && path.relay === 'tls'));
    }
    const metrics = await world.server.metrics();
    assert.ok(metrics['odeon_stream_connections{kind="turn"}'] >= 2);
  });
}
