// What clients are told to send media to, where the machine stands behind a NAT: the address that a STUN server sees, and the
// machine's own.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { eventually, startBrowser, subscribed } from '../lib/browser.js';
import { SMALL_CAMERA } from '../lib/meeting.js';
import { startServer } from '../lib/server.js';
import { token } from '../lib/token.js';

const SEEN = [203, 0, 113, 7];
const COOKIE = [0x21, 0x12, 0xa4, 0x42];

/** A STUN server that sees everybody at one address (RFC 8489, 14.2). */
async function stunServer(t) {
  const socket = createSocket('udp4');
  socket.on('message', (request, from) => {
    const masked = SEEN.map((byte, index) => byte ^ COOKIE[index]);
    const port = [(from.port >> 8) ^ COOKIE[0], (from.port & 0xff) ^ COOKIE[1]];
    const head = [0x01, 0x01, 0, 12, ...request.subarray(4, 20)];
    socket.send(Buffer.from([...head, 0x00, 0x20, 0, 8, 0, 1, ...port, ...masked]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return `127.0.0.1:${socket.address().port}`;
}

/** Keeps what the page is told of the server's addresses. */
const listener = {
  script: () => {
    window.told = [];
    const add = RTCPeerConnection.prototype.addIceCandidate;
    RTCPeerConnection.prototype.addIceCandidate = function (candidate) {
      window.told.push(candidate?.candidate ?? '');
      return add.call(this, candidate);
    };
    const set = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = function (description) {
      window.told.push(...(description.sdp ?? '').split('\r\n').filter((line) => line.startsWith('a=candidate')));
      return set.call(this, description);
    };
  },
};

const own = Object.values(networkInterfaces()).flat().find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

describe('addresses', { skip: own ? false : 'this machine has loopback only: NAT is NOT tested' }, () => {
  for (const hidden of [false, true]) {
    it(`L-09: behind NAT clients are told the external address${hidden ? ' alone' : ', and the own one stays'}`, async (t) => {
      const settings = { 'rtc.bind': '0.0.0.0', 'rtc.use_external_ip': true, 'rtc.external_ip_only': hidden, 'rtc.shards': 1 };
      // Loopback is never asked for and stays: by it the page here comes in even where nothing leads to the external address.
      const server = await startServer({ ...settings, 'rtc.loopback': true, 'rtc.stun_servers': await stunServer(t) });
      t.after(() => server.stop());
      const browser = await startBrowser();
      t.after(() => browser.stop());
      const [ada, ben] = [await browser.page({ before: listener }), await browser.page()];
      await ada.venue.join(server.ws, await token('nat', 'ada'), {}, {});
      await ben.venue.join(server.ws, await token('nat', 'ben'), {}, {});
      const told = await eventually('candidates', async () => {
        const lines = await ada.page.evaluate(() => window.told);
        return lines.some((line) => line.includes(SEEN.join('.'))) && lines.join('\n');
      });
      assert.equal(told.includes(` ${own} `), !hidden, told);
      await ben.venue.setCamera(true, ...SMALL_CAMERA);
      const sid = await subscribed(ada.venue, 'ben', 'camera');
      await eventually('media comes by the way that is there', async () => (await ada.venue.look(sid, 1000)).distinct >= 4);
    });
  }
});

it('L-09: with --node-ip clients are told that address', async (t) => {
  const server = await startServer({ 'node-ip': SEEN.join('.'), 'rtc.bind': '0.0.0.0', 'rtc.loopback': false, 'rtc.shards': 1 });
  t.after(() => server.stop());
  const browser = await startBrowser();
  t.after(() => browser.stop());
  const ada = await browser.page({ before: listener });
  // Nothing leads there: she is not connected, but told.
  ada.venue.join(server.ws, await token('nat', 'ada'), {}, {}).catch(() => {});
  const told = await eventually('candidates', async () => {
    const lines = (await ada.page.evaluate(() => window.told)).filter((line) => line.includes('candidate'));
    return lines.length > 0 && lines;
  });
  assert.ok(told.every((line) => line.includes(` ${SEEN.join('.')} `)), told.join('\n'));
});

for (const mode of ['single', 'dual']) {
  it(`L-09 L-29: where IPv6 is all there is, signalling and media go by it (${mode})`, async (t) => {
    const server = await startServer({ 'http.bind': '::1,127.0.0.1', 'rtc.bind': '::1', 'rtc.shards': 2 });
    t.after(() => server.stop());
    const browser = await startBrowser();
    t.after(() => browser.stop());
    const [ada, ben] = [await browser.page({ before: listener }), await browser.page()];
    const options = mode === 'dual' ? { singlePeerConnection: false } : {};
    for (const [person, name] of [[ada, 'ada'], [ben, 'ben']]) {
      await person.venue.join(`ws://[::1]:${server.port}`, await token(`six-${mode}`, name), options, {});
    }
    await ben.venue.setCamera(true, ...SMALL_CAMERA);
    const sid = await subscribed(ada.venue, 'ben', 'camera');
    await eventually('pictures', async () => (await ada.venue.look(sid, 1000)).distinct >= 4);
    const told = (await ada.page.evaluate(() => window.told)).filter((line) => line.includes('candidate:'));
    assert.ok(told.length > 0 && told.every((line) => line.includes(' ::1 ')), told.join('\n'));
  });
}
