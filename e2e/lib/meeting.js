// What most test files begin with: a server, a browser, and people who come and go.
import { after, before } from 'node:test';
import { startBrowser } from './browser.js';
import { startPython } from './python.js';
import { startServer } from './server.js';
import { token } from './token.js';

/** A server for the tests of a file, and a browser unless `browser` is false; both end with the file. */
export function meeting({ settings = {}, browser = true } = {}) {
  const world = {};
  before(async () => {
    try {
      world.server = await startServer(settings);
      if (browser) world.browser = await startBrowser();
    } catch (error) {
      console.error(error.message); // node:test says of the tests only that they did not finish
      throw error;
    }
  });
  after(async () => {
    await world.browser?.stop();
    await world.server?.stop();
  });
  return world;
}

let rooms = 0;

/** People in a fresh room of that world; all of them are gone when the test ends. */
export function gathering(world, test) {
  const room = `room-${process.pid}-${(rooms += 1)}`;
  const leaving = [];
  test.after(async () => {
    for (const leave of leaving.reverse()) await leave();
  });
  return {
    room,
    /** A page that has joined this room, or the one that `at` names; `mode` is 'single' (livekit-client's default) or 'dual'. */
    async browser(identity, { mode = 'single', video = {}, roomOptions = {}, connectOptions = {}, page = {}, access = {}, url = world.server.ws, at = room } = {}) {
      const opened = await world.browser.page(page);
      leaving.push(() => opened.close());
      const options = { ...(mode === 'dual' ? { singlePeerConnection: false } : {}), ...roomOptions };
      await opened.venue.join(url, await token(at, identity, video, access), options, connectOptions);
      return opened.venue;
    },
    /** A Python process that has joined. */
    async python(identity, { video = {}, autoSubscribe = true, passphrase = null, url = world.server.ws } = {}) {
      const python = await startPython();
      leaving.push(() => python.stop());
      await python.join(url, await token(room, identity, video), autoSubscribe, passphrase);
      return python;
    },
    token: (identity, video = {}, access = {}) => token(room, identity, video, access),
  };
}

/** Small pictures, one layer: for tests that are about something else. */
export const SMALL_CAMERA = [{ resolution: { width: 320, height: 180, frameRate: 15 } }, { simulcast: false }];
