// Webhooks as backends receive them, by the SDKs' own receivers (L-57 to L-59), and what a bad receiver costs others.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { RoomServiceClient } from 'livekit-server-sdk';
import { startBrowser, eventually, subscribed } from '../lib/browser.js';
import { startHooks } from '../lib/hooks.js';
import { SMALL_CAMERA, gathering } from '../lib/meeting.js';
import { VENUE, startServer, startVenue } from '../lib/server.js';
import { KEY, SECRET } from '../lib/token.js';

const HERE = new URL('..', import.meta.url).pathname;

describe('webhooks', () => {
  const world = {};
  let good, failing, hanging, trap, redirecting;
  before(async () => {
    good = await startHooks();
    failing = await startHooks((count) => (count <= 2 ? { status: 500 } : undefined));
    hanging = await startHooks(() => 'hang');
    trap = await startHooks();
    redirecting = await startHooks(() => ({ status: 307, headers: { Location: trap.url } }));
    const urls = [good, failing, hanging, redirecting].map(({ url }) => url).join(',');
    world.server = await startServer({ 'webhook.urls': urls, 'webhook.api_key': KEY, 'room.departure_timeout': 1 });
    world.browser = await startBrowser();
  });
  after(async () => {
    await world.browser?.stop();
    await world.server?.stop();
    for (const hooks of [good, failing, hanging, trap, redirecting]) hooks?.stop();
  });

  const of = (people) => (event) => event.room?.name === people.room;

  it('L-57 L-58 L-59: a room from its beginning to its end, by livekit-server-sdk', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    const ben = await people.browser('ben');
    const sid = await ada.setCamera(true, ...SMALL_CAMERA);
    await subscribed(ben, 'ada', 'camera');
    const published = await good.told('track_published', of(people));
    assert.equal(published.track.sid, sid);
    assert.equal(published.participant.identity, 'ada');
    assert.equal(published.track.mimeType, 'video/VP8');
    await ada.leave();
    await ben.leave();
    const finished = await good.told('room_finished', of(people));
    assert.ok(finished.room.sid.startsWith('RM_'));
    const events = good.requests.map(({ event }) => event).filter(of(people));
    const seen = events.map(({ event, participant }) => [event, participant?.identity].filter(Boolean).join(' '));
    assert.equal(seen[0], 'room_started');
    assert.equal(seen.at(-1), 'room_finished');
    const order = ['participant_joined ada', 'track_published ada', 'track_unpublished ada', 'participant_left ada'];
    const places = order.map((name) => seen.indexOf(name));
    assert.deepEqual(places, [...places].sort((a, b) => a - b), seen.join(', '));
    assert.ok(!places.includes(-1) && seen.includes('participant_joined ben') && seen.includes('participant_left ben'), seen.join(', '));
    assert.equal(new Set(events.map(({ id }) => id)).size, events.length, 'each event has its own id');
  });

  it('L-58: headers and body are the protocol\'s, without a secret', async (t) => {
    const people = gathering(world, t);
    await people.browser('ada');
    await good.told('participant_joined', of(people));
    for (const { headers, body, authorization } of good.requests) {
      assert.equal(headers['content-type'], 'application/webhook+json');
      assert.equal(headers['user-agent'], 'LiveKit');
      assert.ok(!authorization.startsWith('Bearer'));
      assert.ok(!body.includes('turnPassword') && !body.includes(SECRET));
    }
  });

  it('L-58: PyPI livekit-api receives the same', async (t) => {
    const people = gathering(world, t);
    await people.browser('ada');
    const joined = await good.told('participant_joined', of(people));
    const child = spawn(`${HERE}.venv/bin/python`, [`${HERE}python/receive_webhooks.py`], { stdio: ['pipe', 'pipe', 2] });
    const answers = [];
    child.stdout.on('data', (text) => answers.push(text));
    const taken = good.requests.map(({ body, authorization }) => ({ body, authorization }));
    const forged = { body: taken[0].body.replace('room_started', 'room_finished'), authorization: taken[0].authorization };
    child.stdin.end([...taken, forged].map((hook) => JSON.stringify(hook)).join('\n'));
    const [code] = await once(child, 'close');
    assert.equal(code, 0);
    const seen = answers.join('').trim().split('\n');
    assert.ok(seen.includes(`participant_joined ${people.room} ${joined.participant.identity}`), seen.join(', '));
    assert.equal(seen.length, taken.length + 1);
    assert.equal(seen.at(-1), 'refused: hash mismatch');
  });

  it('L-58: a receiver that fails twice gets the event a third time', async () => {
    await eventually('the third attempt', () => failing.requests.length > 3, 20_000);
    const [first, second, third, next] = failing.requests;
    assert.equal(first.body, second.body);
    assert.equal(second.body, third.body);
    assert.notEqual(third.body, next.body);
  });

  it('L-58 Q-22: one that hangs delayed nobody, and no redirect was followed', async () => {
    assert.ok(hanging.requests.length > 0, 'it was tried');
    assert.ok(redirecting.requests.length > 0, 'it was tried');
    assert.equal(trap.requests.length, 0);
    // All that the tests above waited for came while it hung: what it got is the first event of some rooms.
    assert.ok(hanging.requests.length < good.requests.length);
  });

  it('L-59: DeleteRoom finishes a room, and says so', async () => {
    const rooms = new RoomServiceClient(world.server.http, KEY, SECRET);
    await rooms.createRoom({ name: 'short' });
    await rooms.deleteRoom('short');
    const finished = await good.told('room_finished', (event) => event.room.name === 'short');
    assert.equal(JSON.parse(good.requests.find(({ event }) => event === finished).body).roomEndReason, 'ROOM_END_API_DELETE');
  });
});

it('Q-22: outside --dev a receiver on this machine gets nothing unless it is allowed', async () => {
  const hooks = await Promise.all([startHooks(), startHooks()]);
  const [refused, allowed] = hooks;
  const server = await startVenue({
    'webhook.urls': `${refused.url},${allowed.url}`,
    'webhook.allow_private': new URL(allowed.url).host,
    drain_timeout: 0,
  });
  try {
    await new RoomServiceClient(server.http, VENUE.key, VENUE.secret).createRoom({ name: 'inside' });
    await eventually('the allowed one', () => allowed.requests.length > 0);
    assert.equal(refused.requests.length, 0);
    await eventually('one clear line', () => server.log().includes('not on the open internet'));
  } finally {
    await server.stop();
    hooks.forEach((hook) => hook.stop());
  }
});
