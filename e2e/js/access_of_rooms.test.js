// Rooms that are open to everybody and rooms that are for token holders, as the page meets them («Access»).
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AccessToken, RoomServiceClient } from 'livekit-server-sdk';
import { eventually, startBrowser } from '../lib/browser.js';
import { VENUE, startVenue } from '../lib/server.js';

let server;
let world;

before(async () => {
  server = await startVenue();
  world = await startBrowser();
});

after(async () => {
  await world?.stop();
  await server?.stop();
});

function token(room, identity) {
  const access = new AccessToken(VENUE.key, VENUE.secret, { identity });
  access.addGrant({ room, roomJoin: true });
  return access.toJwt();
}

/** Somebody at a room's door on the page, with a name. */
async function atTheDoor(t, path) {
  const context = await world.browser.newContext({ permissions: ['camera', 'microphone'], locale: 'en-GB' });
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`${server.http}/${path}`);
  await page.getByLabel('Your name').fill('Ada');
  await page.getByRole('button', { name: 'Enter', exact: true }).click();
  return page;
}

const inside = (page) => page.getByRole('button', { name: 'Leave' }).waitFor();

describe('a room that the API made', () => {
  it('L-13: is not there for a visitor without an invitation, and lets one with an invitation in', async (t) => {
    await new RoomServiceClient(server.http, VENUE.key, VENUE.secret).createRoom({ name: 'closed' });
    const refused = await fetch(`${server.http}/api/rooms/closed/join`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Origin: server.http },
      body: JSON.stringify({ name: 'Ada' }),
    });
    assert.equal(refused.status, 404);
    const visitor = await atTheDoor(t, 'closed');
    await visitor.getByText('This room is by invitation').waitFor();
    await inside(await atTheDoor(t, `closed#token=${await token('closed', 'guest')}`));
  });
});

describe('a room that nobody has declared', () => {
  it('is open to everybody, until a token holder comes: token wins', async (t) => {
    const visitor = await atTheDoor(t, 'salon');
    await inside(visitor);
    const { venue, close } = await world.page();
    t.after(close);
    await venue.join(server.ws, await token('salon', 'holder'), {}, {});
    await visitor.getByRole('button', { name: 'Leave' }).waitFor({ state: 'detached' });
    await eventually('the holder alone', async () => (await venue.others()).length === 0);
    const another = await atTheDoor(t, 'salon');
    await another.getByText('This room is by invitation').waitFor();
  });
});
