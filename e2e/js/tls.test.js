// https and wss with the unmodified livekit-client in Chromium, certificates that change while people are in, and
// certificates by ACME from a real authority (Pebble).
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { copyFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { eventually, startBrowser, subscribed } from '../lib/browser.js';
import { SMALL_CAMERA } from '../lib/meeting.js';
import { pebblePath, startPebble } from '../lib/pebble.js';
import { freePort, startServer } from '../lib/server.js';
import { token } from '../lib/token.js';

const DOMAIN = 'venue.example';
const OWN = 'tls-self-signed.pem';

/** The certificate that a newcomer is shown. */
function shown(port, servername = 'localhost') {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate());
      socket.end();
    });
    socket.on('error', reject);
  });
}

/** The text that https answers with. */
function get(port, path) {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', servername: 'localhost', path, rejectUnauthorized: false }, (response) => {
      let text = '';
      response.on('data', (part) => (text += part)).on('end', () => resolve(text));
    });
    asked.on('error', reject).end();
  });
}

describe('TLS', () => {
  let browser;
  let maker; // a server that has made a certificate of its own, chain and key in one file
  before(async () => {
    maker = await startServer({ 'tls.self_signed': true, 'tls.port': await freePort() });
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.stop();
    await maker?.stop();
  });

  async function join_(t, port, room, identity) {
    const opened = await browser.page({ context: { ignoreHTTPSErrors: true } });
    t.after(() => opened.close());
    await opened.venue.join(`wss://localhost:${port}`, await token(room, identity), {}, {});
    return opened.venue;
  }

  it('F-5 L-25: people meet by wss, and a renewed certificate drops none of them', async (t) => {
    const port = await freePort();
    const pem = join(maker.data, 'copy.pem');
    copyFileSync(join(maker.data, OWN), pem);
    const settings = { 'tls.port': port, 'tls.cert_file': pem, 'tls.key_file': pem };
    const server = await startServer(settings);
    t.after(() => server.stop());
    const before = await shown(port);
    const [ada, ben] = [await join_(t, port, 'secure', 'ada'), await join_(t, port, 'secure', 'ben')];
    await ada.setCamera(true, ...SMALL_CAMERA);
    const sid = await subscribed(ben, 'ada', 'camera');
    await eventually('Ben sees Ada', async () => (await ben.look(sid, 1000)).distinct >= 4);

    const other = await startServer({ 'tls.self_signed': true, 'tls.port': await freePort() });
    t.after(() => other.stop());
    copyFileSync(join(other.data, OWN), pem);
    process.kill(server.pid, 'SIGHUP');
    const renewed = await eventually('newcomers are shown the new one', async () => {
      const now = await shown(port);
      return now.fingerprint256 !== before.fingerprint256 && now;
    });
    assert.equal(renewed.fingerprint256, (await shown(Number(other.tlsPort))).fingerprint256);

    await eventually('Ben still sees Ada', async () => (await ben.look(sid, 1000)).distinct >= 4);
    for (const venue of [ada, ben]) {
      const events = (await venue.log()).map(([, event]) => event);
      assert.ok(!events.some((event) => /reconnect|disconnected/i.test(event)), `${events}`);
    }
    const cyd = await join_(t, port, 'secure', 'cyd');
    await eventually('a newcomer meets both', async () => (await cyd.other('ada')) && (await cyd.other('ben')));
  });

  it('the self-signed certificate is told by its fingerprint, and the page can be entered by https', async (t) => {
    const { fingerprint256 } = await shown(maker.tlsPort);
    assert.ok(maker.log().includes(fingerprint256), 'the first minute tells the fingerprint');
    const context = await browser.browser.newContext({ ignoreHTTPSErrors: true, permissions: ['camera', 'microphone'], locale: 'en-GB' });
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(`https://localhost:${maker.tlsPort}/`);
    assert.equal(await page.evaluate(() => isSecureContext && typeof navigator.mediaDevices?.getUserMedia), 'function');
    await page.getByLabel('Room', { exact: true }).fill('residence');
    await page.getByLabel('Your name').fill('Ada');
    await page.getByRole('button', { name: 'Go to the door' }).click();
    await page.locator('video').first().waitFor();
    await page.getByRole('button', { name: 'Enter', exact: true }).click();
    await page.getByRole('button', { name: 'Leave' }).waitFor();
  });

  it('a certificate comes from an ACME authority, and again before it expires', async (t) => {
    if (!pebblePath()) return t.skip("no ACME authority here (Debian's package pebble): ACME is NOT tested");
    const port = await freePort();
    const pem = join(maker.data, OWN);
    const authority = await startPebble({ pem, tlsPort: port, lifeS: 30 });
    t.after(() => authority.stop());
    const server = await startServer({
      'tls.port': port,
      'tls.acme.domains': DOMAIN,
      'tls.acme.email': `ops@${DOMAIN}`,
      'tls.acme.directory_url': authority.directory,
      'tls.acme.root_file': pem,
    });
    t.after(() => server.stop());
    assert.equal(await get(port, '/healthz'), 'OK', 'it is open before the authority has answered');
    const issued = (other) => async () => {
      const certificate = await shown(port, DOMAIN);
      return /Pebble/.test(certificate.issuer.CN) && certificate.serialNumber !== other && certificate;
    };
    const first = await eventually('a certificate by the authority', issued(), 60_000);
    assert.match(first.subjectaltname, new RegExp(`DNS:${DOMAIN}`));
    // Two thirds of 30 s.
    const second = await eventually('it is renewed before it expires', issued(first.serialNumber), 60_000);
    assert.ok(Date.parse(second.valid_from) < Date.parse(first.valid_to), `${second.valid_from} is after ${first.valid_to}`);
    assert.ok(!server.log().includes('no certificate by ACME'), server.log());
  });
});
