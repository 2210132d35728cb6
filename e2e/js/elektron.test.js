// The artists' bus with its unmodified clients: npm ws, reconnecting-websocket in Chromium, PyPI websocket-client.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { eventually } from '../lib/browser.js';
import { gathering, meeting } from '../lib/meeting.js';
import { startVenue } from '../lib/server.js';

const HERE = new URL('..', import.meta.url).pathname;
const RECONNECTING = createRequire(import.meta.url).resolve('reconnecting-websocket/dist/reconnecting-websocket-iife.js');
const SECRET = 'a-secret-for-stored-messages';
const world = meeting({ settings: { messages_secret: SECRET } });

let frames = 0;
const frame = (type, channel, userId, value, more = {}) =>
  JSON.stringify({ id: `abcdefghijkl${String((frames += 1)).padStart(4, '0')}`, datetime: new Date().toISOString(), type, channel, userId, userName: userId.toUpperCase(), value, ...more });

/** A socket of npm's `ws` that keeps what it hears, as text. */
async function sketch(t, { url = world.server.ws, path = '/', headers = {} } = {}) {
  const socket = new WebSocket(`${url}${path}`, { headers });
  const heard = [];
  socket.on('message', (data, binary) => heard.push(binary ? data : data.toString()));
  t.after(() => socket.terminate());
  await once(socket, 'open');
  const of = (type) => heard.filter((text) => typeof text === 'string' && text.includes(`"type":"${type}"`)).map((text) => JSON.parse(text));
  return { socket, heard, of, say: (text) => socket.send(text) };
}

/** A page with reconnecting-websocket, as elektron's own pages have it. */
async function page(t) {
  const context = await world.browser.browser.newContext();
  t.after(() => context.close());
  const opened = await context.newPage();
  await opened.goto(world.browser.origin);
  await opened.addScriptTag({ path: RECONNECTING });
  await opened.evaluate((url) => {
    window.heard = [];
    window.opened = 0;
    window.bus = new ReconnectingWebSocket(url, [], { minReconnectionDelay: 100, maxReconnectionDelay: 500 });
    window.bus.addEventListener('open', () => (window.opened += 1));
    window.bus.addEventListener('message', ({ data }) => window.heard.push(data));
  }, world.server.ws);
  await opened.waitForFunction(() => window.opened === 1);
  return {
    say: (text) => opened.evaluate((text) => window.bus.send(text), text),
    heard: () => opened.evaluate(() => window.heard),
    reconnect: () => opened.evaluate(() => window.bus.reconnect()),
    times: () => opened.evaluate(() => window.opened),
  };
}

/** Who the newest CHANNELS_UPDATED names in a room. */
function usersIn(heard, room) {
  const last = heard.filter((text) => text.includes('"CHANNELS_UPDATED"')).at(-1);
  return Object.keys(JSON.parse(last ?? '{"value":{}}').value[room]?.users ?? {}).sort();
}

describe('the bus', () => {
  it('E-01 E-12: what is said comes back to all, the sender too, as it was written', async (t) => {
    const [ada, ben] = [await sketch(t), await sketch(t)];
    const said = [frame('ANYTHING', 'tone', 'ada', { x: 1.5 }), '{ "type" : "SLIDER", "channel":"tone","value":"0.70" , "userid":"ada"}', '[object Object]'];
    said.forEach(ada.say);
    ada.socket.send(Buffer.from([1, 2, 0, 255]));
    for (const one of [ada, ben]) {
      await eventually('all of it', async () => one.heard.length >= 4);
      assert.deepEqual(one.heard.slice(0, 3), said);
      assert.deepEqual([...one.heard[3]], [1, 2, 0, 255]);
    }
  });

  it('E-02 E-03 E-07: a joiner is told what was said, then of the join, then who is there', async (t) => {
    const ada = await sketch(t);
    const [hello, like] = [frame('CHAT', 'lobby', 'ada', 'hello'), frame('LIKE', 'lobby', 'ada', 'hello-id')];
    ada.say(hello);
    ada.say(like);
    await eventually('both are back', async () => ada.heard.length >= 2);
    assert.deepEqual(ada.heard, [hello, like]);
    const ben = await sketch(t);
    const join = frame('CHANNEL_JOIN', 'lobby', 'ben', '');
    ben.say(join);
    await eventually('it is there', async () => usersIn(ben.heard, 'lobby').includes('ben'));
    const order = ben.heard.map((text) => JSON.parse(text).type);
    assert.deepEqual(order.slice(0, 4), ['CHAT_SYNC', 'LIKE_SYNC', 'CHANNEL_JOIN', 'CHANNELS_UPDATED']);
    assert.deepEqual(ben.of('CHAT_SYNC')[0].value, [JSON.parse(hello)]);
    assert.deepEqual(ben.of('LIKE_SYNC')[0].value, [JSON.parse(like)]);
    assert.equal(ben.heard[2], join);
    await eventually('others see it', async () => usersIn(ada.heard, 'lobby').includes('ben'));
  });

  it('E-03 E-04 E-05 E-06: three browsers are in a room, move, lose their network, and are still there', async (t) => {
    const names = ['mako', 'koko', 'tiit'];
    const pages = await Promise.all(names.map(() => page(t)));
    for (const [number, one] of pages.entries()) await one.say(frame('CHANNEL_JOIN', 'first', names[number], ''));
    for (const one of pages) await eventually('all three', async () => usersIn(await one.heard(), 'first').length === 3);
    await pages[0].say(frame('CHANNEL_USER_UPDATE', 'first', 'mako', { userX: '1.23', userColor: '#f00' }));
    await eventually('where mako is', async () => (await pages[2].heard()).at(-1).includes('"userX":"1.23"'));
    for (const one of pages) await one.reconnect();
    for (const one of pages) await eventually('it is back', async () => (await one.times()) === 2);
    // The page says nothing: the grace of those who are really gone ends after 30 s.
    await delay(33_000);
    const late = await sketch(t);
    late.say(frame('CHANNEL_JOIN', 'second', 'late', ''));
    await eventually('who is there', async () => usersIn(late.heard, 'second').includes('late'));
    assert.deepEqual(usersIn(late.heard, 'first'), [...names].sort());
  });

  it('E-01: a Python sketch hears itself and is heard', async (t) => {
    const ada = await sketch(t);
    const said = frame('SENSOR', 'garden', 'python', [1, 2, 3]);
    const { stdout } = await promisify(execFile)(`${HERE}.venv/bin/python`, [`${HERE}python/sketch.py`, `${world.server.ws}/`, said, '1'], { timeout: 20_000 });
    assert.equal(stdout.trim(), said);
    await eventually('others hear it', async () => ada.heard.includes(said));
  });

  it('E-14: what is to be stored is there for whoever knows the secret', async (t) => {
    const ada = await sketch(t);
    const kept = frame('SCORE', 'archive', 'ada', { act: 2 }, { store: true });
    ada.say(kept);
    await eventually('it is stored', async () => ada.heard.includes(kept));
    const messages = (secret) => fetch(`${world.server.http}/messages?secret=${secret}&channel=archive`);
    assert.deepEqual(await (await messages(SECRET)).json(), [JSON.parse(kept)]);
    const refused = await messages('guess');
    assert.deepEqual([refused.status, await refused.text()], [403, 'No access']);
  });

  it('who is in the room by LiveKit is in CHANNELS_UPDATED, and the other way round', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    const mako = await sketch(t);
    mako.say(frame('CHANNEL_JOIN', people.room, 'mako', ''));
    await eventually('both', async () => usersIn(mako.heard, people.room).join() === 'mako,token:ada');
    await eventually('LiveKit sees it', async () => (await ada.other('bus:mako'))?.identity === 'bus:mako');
  });
});

describe('a room of token holders', () => {
  it('E-01 E-03: is none to a socket without a token', async (t) => {
    const venue = await startVenue({ 'rooms.token': 'rehearsal' });
    t.after(() => venue.stop());
    const [stranger, other] = [await sketch(t, { url: venue.ws }), await sketch(t, { url: venue.ws })];
    stranger.say(frame('CHAT', 'rehearsal', 'eve', 'let me in'));
    await eventually('it is refused', async () => stranger.of('ERROR').length === 1);
    stranger.say(frame('ANYTHING', 'foyer', 'eve', 'hello'));
    await eventually('the foyer hears it', async () => other.of('ANYTHING').length === 1);
    assert.deepEqual([other.heard.length, stranger.of('CHAT').length], [1, 0]);
  });
});
