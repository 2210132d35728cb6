// The door: statuses, CORS, what livekit-client makes of them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AccessToken } from 'livekit-server-sdk';
import { KEY, SECRET, token } from '../lib/token.js';
import { meeting } from '../lib/meeting.js';

const world = meeting();
const PATHS = ['/rtc/validate', '/rtc/v1/validate'];

/** An empty join request, wrapped without compression: v1 asks for one. */
const JOIN_REQUEST = 'join_request=EgA%3D';

async function validate(path, access) {
  const query = access === undefined ? '' : `&access_token=${access}`;
  const response = await fetch(`${world.server.http}${path}?${JOIN_REQUEST}${query}`, { headers: { Origin: 'https://elsewhere.example' } });
  return { status: response.status, body: await response.text(), cors: response.headers.get('access-control-allow-origin') };
}

async function signed(secret, claims) {
  const access = new AccessToken(KEY, secret, claims);
  access.addGrant({ room: 'r', roomJoin: true });
  return access.toJwt();
}

for (const path of PATHS) {
  describe(path, () => {
    it(`L-25 L-49 ${path}: a good token gets 200 success, by query or header, for every origin`, async () => {
      const good = await token('r', 'a');
      assert.deepEqual(await validate(path, good), { status: 200, body: 'success', cors: '*' });
      const response = await fetch(`${world.server.http}${path}?${JOIN_REQUEST}`, { headers: { Authorization: `Bearer ${good}` } });
      assert.equal(response.status, 200);
    });

    it(`L-49 L-51 L-52 ${path}: what is wrong with a token is told by the status, with CORS`, async () => {
      const cases = [
        [undefined, 401, 'none'],
        ['', 401, 'empty'],
        ['nonsense', 401, 'no token'],
        [await signed('another-secret-that-is-long-enough', { identity: 'a' }), 401, 'forged'],
        [await signed(SECRET, { identity: 'a', ttl: -60 }), 401, 'expired'],
        [await new AccessToken('nobody', SECRET, { identity: 'a' }).toJwt(), 401, 'unknown key'],
        [await token('r', 'a', { roomJoin: false }), 401, 'no roomJoin'],
        [await token('', 'a'), 400, 'no room'],
        [await token('r'.repeat(300), 'a'), 400, 'room name too long'],
        [await token('r', 'i'.repeat(300)), 400, 'identity too long'],
      ];
      for (const [access, status, what] of cases) {
        const answer = await validate(path, access);
        assert.equal(answer.status, status, `${what}: ${JSON.stringify(answer)}`);
        assert.equal(answer.cors, '*', `${what}: livekit-client reads the status only with CORS`);
      }
    });
  });
}

describe('the door by other means', () => {
  it('L-25: v1 without a join request is 400', async () => {
    const answer = await fetch(`${world.server.http}/rtc/v1/validate?access_token=${await token('r', 'a')}`);
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), /join_request is required/);
  });

  it('L-25: without an upgrade /rtc is 404', async () => {
    assert.equal((await fetch(`${world.server.http}/rtc?access_token=${await token('r', 'a')}`)).status, 404);
  });

  it('L-25: a doubled slash is one', async () => {
    const answer = await fetch(`${world.server.http}//rtc/validate?access_token=${await token('r', 'a')}`);
    assert.equal(answer.status, 200);
  });

  it('L-09: the health answer, and the page for those who want text/html', async () => {
    const health = await fetch(`${world.server.http}/`, { headers: { Accept: '*/*' } });
    assert.equal(await health.text(), 'OK');
    assert.equal((await fetch(`${world.server.http}/`, { method: 'HEAD' })).status, 200);
    const page = await fetch(`${world.server.http}/`, { headers: { Accept: 'text/html' } });
    assert.match(await page.text(), /<html/i);
  });

  it('L-25 L-51: livekit-client says "not allowed" of a bad token', async (t) => {
    const { venue, close } = await world.browser.page();
    t.after(close);
    for (const roomOptions of [{}, { singlePeerConnection: false }]) {
      const error = await venue.tryJoin(world.server.ws, await token('r', 'a', { roomJoin: false }), roomOptions);
      assert.equal(error?.reason, 'NotAllowed', JSON.stringify(error));
      assert.equal(error.status, 401);
    }
  });

  it('L-07 L-08: with a good token it joins, by both paths', async (t) => {
    const { venue, close } = await world.browser.page();
    t.after(close);
    for (const roomOptions of [{}, { singlePeerConnection: false }]) {
      assert.equal(await venue.tryJoin(world.server.ws, await token('r', 'a'), roomOptions), null);
    }
  });
});
