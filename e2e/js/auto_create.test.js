// Rooms that only the API makes, and rooms that end.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RoomServiceClient } from 'livekit-server-sdk';
import { eventually } from '../lib/browser.js';
import { gathering, meeting } from '../lib/meeting.js';
import { KEY, SECRET, token } from '../lib/token.js';

const world = meeting({ settings: { 'room.auto_create': false, 'room.departure_timeout': 1, 'room.empty_timeout': 2 } });
const rooms = () => new RoomServiceClient(world.server.http, KEY, SECRET);

it('L-13: a room that nobody made cannot be joined, and livekit-client does not fall back to v0', async (t) => {
  const { venue, close } = await world.browser.page();
  t.after(close);
  const error = await venue.tryJoin(world.server.ws, await token('nowhere', 'a'));
  assert.equal(error?.reason, 'NotAllowed', JSON.stringify(error));
  const answer = await fetch(`${world.server.http}/rtc/v1/validate?join_request=EgA%3D&access_token=${await token('nowhere', 'a')}`);
  assert.equal(answer.status, 404);
  assert.match(await answer.text(), /requested room does not exist/);
});

it('L-13 L-14: a room that the API made can be joined, and ends a while after the last has left', async (t) => {
  const people = gathering(world, t);
  await rooms().createRoom({ name: people.room });
  const ada = await people.browser('ada');
  assert.equal((await rooms().listRooms([people.room])).length, 1);
  await ada.leave();
  await eventually('the room ends', async () => (await rooms().listRooms([people.room])).length === 0, 6000);
});

it('L-14: a room that nobody ever joined ends after its empty timeout', async () => {
  await rooms().createRoom({ name: 'forgotten' });
  assert.equal((await rooms().listRooms(['forgotten'])).length, 1);
  await eventually('the room ends', async () => (await rooms().listRooms(['forgotten'])).length === 0, 8000);
});
