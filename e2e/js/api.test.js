// RoomService by the unmodified livekit-server-sdk 2.19.2.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DisconnectReason } from 'livekit-client';
import { AccessToken, DataPacket_Kind, RoomServiceClient } from 'livekit-server-sdk';
import { eventually, happened } from '../lib/browser.js';
import { SMALL_CAMERA, gathering, meeting } from '../lib/meeting.js';
import { KEY, SECRET } from '../lib/token.js';

const world = meeting();
const service = () => new RoomServiceClient(world.server.http, KEY, SECRET);

async function post(method, body, headers = {}) {
  const response = await fetch(`${world.server.http}/twirp/livekit.RoomService/${method}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body,
  });
  return { status: response.status, type: response.headers.get('content-type'), body: await response.json() };
}

async function bearer(grant) {
  const access = new AccessToken(KEY, SECRET, { identity: 'backend' });
  access.addGrant(grant);
  return { Authorization: `Bearer ${await access.toJwt()}` };
}

describe('RoomService', () => {
  it('L-13 L-55: CreateRoom, ListRooms, DeleteRoom', async () => {
    const made = await service().createRoom({ name: 'made', emptyTimeout: 60, maxParticipants: 5, metadata: 'm' });
    assert.match(made.sid, /^RM_[2-9A-HJ-NP-Za-km-z]{12}$/);
    assert.deepEqual([made.name, made.emptyTimeout, made.maxParticipants, made.metadata], ['made', 60, 5, 'm']);
    assert.ok(Number(made.creationTime) > 1_600_000_000);
    const again = await service().createRoom({ name: 'made' });
    assert.equal(again.sid, made.sid, 'making it again finds it');
    assert.ok((await service().listRooms()).some((room) => room.sid === made.sid));
    assert.deepEqual((await service().listRooms(['nothing-of-that-name'])).length, 0);
    await service().deleteRoom('made');
    assert.equal((await service().listRooms(['made'])).length, 0);
  });

  it('L-55: DeleteRoom sends those in it away', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    await service().deleteRoom(people.room);
    await happened(ada, 'disconnected', DisconnectReason.ROOM_DELETED);
  });

  it('L-55: ListParticipants and GetParticipant tell of tracks and states', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada', { access: { metadata: 'm' } });
    const sid = await ada.setCamera(true, ...SMALL_CAMERA);
    await people.browser('ben');
    const all = await service().listParticipants(people.room);
    assert.deepEqual(all.map((one) => one.identity).sort(), ['ada', 'ben']);
    const one = await eventually('ada is active', async () => {
      const found = await service().getParticipant(people.room, 'ada');
      return found.state === 2 && found;
    });
    assert.deepEqual([one.metadata, one.tracks.map((track) => track.sid)], ['m', [sid]]);
    const [room] = await service().listRooms([people.room]);
    assert.equal(room.numParticipants, 2);
    await assert.rejects(service().getParticipant(people.room, 'nobody'), (error) => error.status === 404 && error.code === 'not_found');
  });

  it('L-06 L-55: RemoveParticipant removes, and says so', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    const ben = await people.browser('ben');
    await service().removeParticipant(people.room, 'ben');
    await happened(ben, 'disconnected', DisconnectReason.PARTICIPANT_REMOVED);
    await happened(ada, 'participantDisconnected', 'ben');
    await assert.rejects(service().removeParticipant(people.room, 'ben'), (error) => error.status === 404);
  });

  it('L-45: SendData reaches all or some, reliable and lossy', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    const ben = await people.browser('ben', { mode: 'dual' });
    const pia = await people.python('pia');
    const bytes = (text) => new TextEncoder().encode(text);
    for (const kind of [DataPacket_Kind.RELIABLE, DataPacket_Kind.LOSSY]) {
      await service().sendData(people.room, bytes(`all ${kind}`), kind, { topic: 'server' });
      await service().sendData(people.room, bytes(`ben ${kind}`), kind, { destinationIdentities: ['ben'] });
      await happened(ada, 'dataReceived', null, `all ${kind}`, kind, 'server');
      await happened(ben, 'dataReceived', null, `all ${kind}`, kind, 'server');
      await happened(ben, 'dataReceived', null, `ben ${kind}`, kind);
      await eventually('Python gets it', async () => (await pia.events()).some(([event, from, text]) => event === 'data' && from === null && text === `all ${kind}`));
    }
    assert.ok(!(await ada.log()).some(([, event, , text]) => event === 'dataReceived' && text?.startsWith('ben')));
  });
});

describe('Twirp on the wire', () => {
  it('L-53 L-54: no token or no grant is 401 unauthenticated; JSON is snake_case with defaults', async () => {
    const none = await post('ListRooms', '{}');
    assert.deepEqual([none.status, none.body.code, none.type], [401, 'unauthenticated', 'application/json']);
    const poor = await post('ListRooms', '{}', await bearer({ roomJoin: true, room: 'r' }));
    assert.equal(poor.status, 401);
    const made = await post('CreateRoom', '{"name":"wire","empty_timeout":9}', await bearer({ roomCreate: true }));
    assert.equal(made.status, 200);
    assert.equal(made.type, 'application/json');
    assert.equal(made.body.empty_timeout, 9);
    assert.ok('num_participants' in made.body && 'creation_time' in made.body, JSON.stringify(made.body));
    await post('DeleteRoom', '{"room":"wire"}', await bearer({ roomCreate: true }));
  });

  it('L-54: roomAdmin is for its own room only', async () => {
    const admin = await bearer({ roomAdmin: true, room: 'mine' });
    assert.equal((await post('ListParticipants', '{"room":"yours"}', admin)).status, 401);
  });

  it('L-53: unknown methods and bad bodies are refused in Twirp\'s words', async () => {
    const admin = await bearer({ roomAdmin: true, roomList: true, roomCreate: true, room: 'r' });
    const unknown = await post('Frobnicate', '{}', admin);
    assert.deepEqual([unknown.status, unknown.body.code], [404, 'bad_route']);
    const malformed = await post('CreateRoom', '{', admin);
    assert.deepEqual([malformed.status, malformed.body.code], [400, 'malformed']);
  });
});
