// Calls between participants, and from a backend to a participant (L-65, livekit.md 2.6).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { AccessToken } from 'livekit-server-sdk';
import { gathering, meeting } from '../lib/meeting.js';
import { KEY, SECRET } from '../lib/token.js';

const world = meeting();
const LARGEST_V1 = 15 * 1024 - 30; // the answer carries the caller's name too

/** RoomService.PerformRpc, which no server SDK has a function for. */
async function performRpc(room, identity, method, payload, more = {}) {
  const access = new AccessToken(KEY, SECRET, { identity: 'backend' });
  access.addGrant({ roomAdmin: true, room });
  const response = await fetch(`${world.server.http}/twirp/livekit.RoomService/PerformRpc`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${await access.toJwt()}` },
    body: JSON.stringify({ room, destination_identity: identity, method, payload, ...more }),
  });
  return { status: response.status, ...(await response.json()) };
}

for (const mode of ['single', 'dual']) {
  describe(`RPC (${mode})`, () => {
    it(`L-65 ${mode}: JS calls JS, and Python, and Python calls JS`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const pia = await people.python('pia');
      await Promise.all([ada.serveRpc(), ben.serveRpc(), pia.serve_rpc()]);
      const large = 'x'.repeat(LARGEST_V1);
      for (const callee of ['ben', 'pia']) {
        for (const payload of ['hello', large]) {
          assert.deepEqual(await ada.rpc(callee, 'echo', payload), { result: JSON.stringify(['ada', payload]) });
        }
        const failed = await ada.rpc(callee, 'fail', '');
        assert.deepEqual([failed.code, failed.message, failed.data], [101, 'told to fail', 'why']);
        assert.equal((await ada.rpc(callee, 'nothing', '')).code, 1400, 'unsupported method');
      }
      for (const payload of ['hello', large]) {
        assert.deepEqual(await pia.rpc('ada', 'echo', payload), { result: JSON.stringify(['pia', payload]) });
      }
      assert.equal((await pia.rpc('ada', 'fail', '')).code, 101);
      assert.equal((await pia.rpc('ada', 'broken', '')).code, 1500);
    });

    it(`L-65 ${mode}: calls of version 2, over data streams, carry more than 15 KB`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const pia = await people.python('pia');
      await Promise.all([ben.serveRpc(), pia.serve_rpc()]);
      const huge = Array.from({ length: 12_000 }, (_, number) => `${number}`).join(' ');
      for (const callee of ['ben', 'pia']) {
        assert.deepEqual(await ada.rpc(callee, 'echo', huge), { result: JSON.stringify(['ada', huge]) });
      }
      assert.deepEqual(await pia.rpc('ben', 'echo', huge), { result: JSON.stringify(['pia', huge]) });
    });

    it(`L-65 ${mode}: a backend calls a participant`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const pia = await people.python('pia');
      await Promise.all([ada.serveRpc(), pia.serve_rpc()]);
      for (const callee of ['ada', 'pia']) {
        const answer = await performRpc(people.room, callee, 'echo', 'hello');
        assert.equal(answer.status, 200, JSON.stringify(answer));
        assert.equal(JSON.parse(answer.payload)[1], 'hello');
        const failed = await performRpc(people.room, callee, 'fail', '');
        assert.deepEqual([failed.status, failed.code, failed.msg], [500, 'internal', 'RpcError 101: told to fail: why']);
        const unknown = await performRpc(people.room, callee, 'nothing', '');
        assert.deepEqual([unknown.status, unknown.code], [400, 'invalid_argument']);
        assert.match(unknown.msg, /^RpcError 1400: /);
      }
      assert.deepEqual(await performRpc(people.room, 'nobody', 'echo', ''), { status: 404, code: 'not_found', msg: 'participant does not exist' });
      const long = await performRpc(people.room, 'ada', 'echo', 'x'.repeat(15 * 1024 + 1));
      assert.deepEqual([long.status, long.code], [400, 'malformed']);
      const late = await performRpc(people.room, 'ada', 'slow', '', { response_timeout_ms: 1500 });
      assert.deepEqual([late.status, late.code, late.msg], [408, 'canceled', 'RpcError 1502: Response timeout']);
    });
  });
}

describe('RPC to somebody who goes', () => {
  it('L-65: the caller is told that they left', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    await ada.serveRpc();
    const [call] = await Promise.all([performRpc(people.room, 'ada', 'slow', ''), delay(500).then(() => ada.leave())]);
    assert.deepEqual(call, { status: 503, code: 'unavailable', msg: 'RpcError 1503: Recipient disconnected' });
  });
});
