// One chat for every gateway (product.md, the row «chat»), and its moderation: livekit-client in Chromium, PyPI livekit, npm ws on
// the bus, and the page. E-07, L-48.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { eventually } from '../lib/browser.js';
import { gathering, meeting } from '../lib/meeting.js';

const world = meeting();
let messages = 0;

/** Somebody on the bus, with npm's `ws`. */
async function sketch(t, room, userId) {
  const socket = new WebSocket(world.server.ws);
  const heard = [];
  let closed;
  socket.on('message', (data) => heard.push(JSON.parse(data.toString())));
  socket.on('close', (code) => (closed = code));
  t.after(() => socket.terminate());
  await once(socket, 'open');
  const frame = (type, value) => ({ id: `abcdefghijkl${String((messages += 1)).padStart(4, '0')}`, datetime: new Date().toISOString(), type, channel: room, userId, userName: userId.toUpperCase(), value });
  const say = (type, value) => {
    const message = frame(type, value);
    socket.send(JSON.stringify(message));
    return message;
  };
  say('CHANNEL_JOIN', '');
  await eventually('it is in', async () => heard.some(({ type }) => type === 'CHANNELS_UPDATED'));
  return { say, of: (type) => heard.filter((message) => message.type === type), closed: () => closed };
}

/** An operator's request. */
function operator() {
  const [, token] = /operator +(\S+)/.exec(world.server.log());
  return async (method, path, body) => {
    const response = await fetch(`${world.server.http}${path}`, { method, headers: { authorization: `Bearer ${token}` }, body: body && JSON.stringify(body) });
    assert.equal(response.status, 204, `${method} ${path}: ${await response.text()}`);
  };
}

const log = async (room) => (await fetch(`${world.server.http}/api/rooms/${room}/chat`)).json();

/** What a page with livekit-client has heard of the chat, by each of the ways that apps use. */
async function listen(venue) {
  await venue.listenToChat();
  return {
    streams: async () => (await venue.chatHeard()).filter(({ way }) => way === 'stream'),
    packets: async () => (await venue.chatHeard()).filter(({ way }) => way === 'packet'),
  };
}

describe('one chat', () => {
  it('E-07 L-48: what a sketch says comes to LiveKit\'s clients as a text stream, and once as a packet for those without streams', async (t) => {
    const { browser, python, room } = gathering(world, t);
    const ada = await browser('ada');
    const heard = await listen(ada);
    const ben = await python('ben');
    await ben.watch_streams('lk.chat');
    const mako = await sketch(t, room, 'mako');
    await eventually('Ada sees Mako', async () => ada.other('bus:mako'));
    const said = mako.say('CHAT', 'tere õhtust');
    await eventually('Ada hears the stream', async () => (await heard.streams()).length === 1);
    assert.deepEqual((await heard.streams())[0], { way: 'stream', id: said.id, from: 'bus:mako', text: 'tere õhtust', name: 'MAKO' });
    const [packet] = await eventually('and the packet', async () => (await heard.packets()).length === 1 && heard.packets());
    assert.deepEqual({ ...JSON.parse(packet.text), timestamp: 0 }, { id: said.id, timestamp: 0, message: 'tere õhtust', name: 'MAKO', ignoreLegacy: true });
    assert.equal(packet.from, 'bus:mako');
    await eventually('Ben hears the stream', async () => (await ben.events()).some(([event, from, length]) => event === 'text' && from === 'bus:mako' && length === 'tere õhtust'.length));
  });

  it('E-07 L-48: what LiveKit\'s clients say, by stream or by packet, is chat on the bus and in the log, once', async (t) => {
    const { browser, python, room } = gathering(world, t);
    const mako = await sketch(t, room, 'mako');
    const [ada, ben] = [await browser('ada'), await python('ben')];
    const heard = await listen(ada);
    await ada.sendText('by a stream', { topic: 'lk.chat' });
    await ada.sendText('packed '.repeat(500), { topic: 'lk.chat' });
    await ada.sendData(JSON.stringify({ id: 'legacy-1', timestamp: 1, message: 'by a packet' }), { topic: 'chat' });
    await ada.sendData(JSON.stringify({ id: 'legacy-2', timestamp: 1, message: 'said twice', ignoreLegacy: true }), { topic: 'lk-chat-topic' });
    await ada.sendText('no chat at all', { topic: 'notes' });
    await ben.send_text('from Python', 'lk.chat');
    await eventually('all of it', async () => mako.of('CHAT').length >= 4);
    const said = mako.of('CHAT').map(({ userId, value }) => [userId, value]);
    assert.deepEqual(said.filter(([who]) => who === 'token:ada'), [['token:ada', 'by a stream'], ['token:ada', 'packed '.repeat(500)], ['token:ada', 'by a packet']]);
    assert.deepEqual(said.filter(([who]) => who === 'token:ben'), [['token:ben', 'from Python']]);
    await eventually('Ada hears Ben as he said it', async () => (await heard.streams()).some(({ from, text }) => from === 'ben' && text === 'from Python'));
    assert.equal((await heard.streams()).filter(({ from }) => from === 'ada').length, 0, 'and nobody hears themselves');
    assert.deepEqual((await log(room)).map(({ identity }) => identity).sort(), ['ada', 'ada', 'ada', 'ben']);
  });

  it('who is muted is heard nowhere, by whatever way, and is told; others are heard', async (t) => {
    const { browser, room } = gathering(world, t);
    const order = operator();
    const mako = await sketch(t, room, 'mako');
    const [ada, cyd] = [await browser('ada'), await browser('cyd')];
    const [heard, own] = [await listen(cyd), await listen(ada)];
    await order('PUT', `/api/rooms/${room}/mutes/ada`);
    await ada.sendText('unheard', { topic: 'lk.chat' });
    await ada.sendData(JSON.stringify({ id: 'x', message: 'unheard too' }), { topic: 'chat' });
    await ada.sendData('other data passes', { topic: 'game' });
    await eventually('she is told', async () => (await ada.chatHeard()).some(({ way, text }) => way === 'change' && JSON.parse(text).why === 'you are muted in this chat'));
    await cyd.sendText('Cyd is heard', { topic: 'lk.chat' });
    await eventually('on the bus', async () => mako.of('CHAT').some(({ value }) => value === 'Cyd is heard'));
    await order('PUT', `/api/rooms/${room}/chat-rules`, { closed: true });
    await cyd.sendText('closed now', { topic: 'lk.chat' });
    mako.say('CHAT', 'closed for all');
    await eventually('Mako is told', async () => mako.of('ERROR').some(({ value }) => value === 'the chat is closed'));
    await order('DELETE', `/api/rooms/${room}/mutes/ada`);
    await order('PUT', `/api/rooms/${room}/chat-rules`, { closed: false });
    await ada.sendText('here again', { topic: 'lk.chat' });
    await eventually('on the bus', async () => mako.of('CHAT').some(({ value }) => value === 'here again'));
    assert.deepEqual(mako.of('CHAT').map(({ value }) => value), ['Cyd is heard', 'here again']);
    await eventually('Cyd hears Ada', async () => (await heard.streams()).length === 1);
    assert.deepEqual([await heard.streams(), await heard.packets()].map((all) => all.map(({ text }) => text)), [['here again'], []]);
    assert.equal((await own.streams()).length, 1);
  });

  it('who is removed goes, whichever gateway they came by, and who is banned stays away', async (t) => {
    const { browser, room, token } = gathering(world, t);
    const order = operator();
    const mako = await sketch(t, room, 'mako');
    const ada = await browser('ada');
    await eventually('Ada sees Mako', async () => ada.other('bus:mako'));
    await order('DELETE', `/api/rooms/${room}/participants/bus:mako`);
    await eventually('the bus closes with 4003', async () => mako.closed() === 4003);
    await eventually('Ada sees him go', async () => !(await ada.other('bus:mako')));
    await order('PUT', `/api/rooms/${room}/bans/ada`);
    await eventually('Ada is out', async () => (await ada.connectionState()) === 'disconnected');
    const refused = await fetch(`${world.server.http}/rtc/validate?access_token=${await token('ada')}`);
    assert.equal(refused.ok, false, 'and stays out');
  });

  it('the page shows what was said before, what a sketch says now, and not what a moderator takes out', async (t) => {
    const room = `page-${process.pid}`;
    const order = operator();
    const mako = await sketch(t, room, 'mako');
    const before = mako.say('CHAT', 'said before');
    await eventually('it is kept', async () => (await log(room)).length === 1);
    const context = await world.browser.browser.newContext({ permissions: ['camera', 'microphone'], locale: 'en-GB' });
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(`${world.server.http}/${room}`);
    await page.getByLabel('Your name').fill('Ada');
    await page.locator('video').first().waitFor();
    await page.getByRole('button', { name: 'Enter', exact: true }).click();
    await page.getByRole('button', { name: /^Chat/ }).click();
    const chat = page.getByRole('log');
    await chat.getByText('said before').waitFor();
    mako.say('CHAT', 'said <b>now</b>');
    await chat.getByText('said <b>now</b>').waitFor();
    assert.equal(await chat.getByText('MAKO').count(), 2);
    await page.getByLabel('Write to the room').fill('hello from the page');
    await page.getByRole('button', { name: 'Send' }).click();
    await eventually('the sketch hears the page', async () => mako.of('CHAT').some(({ value, userName }) => value === 'hello from the page' && userName === 'Ada'));
    await order('DELETE', `/api/rooms/${room}/chat/${before.id}`);
    await chat.getByText('said before').waitFor({ state: 'detached' });
    await page.screenshot({ path: new URL('../out/page-chat.png', import.meta.url).pathname });
    await page.getByRole('button', { name: 'People' }).click();
    await page.getByText('MAKO').first().waitFor();
    await order('PUT', `/api/rooms/${room}/chat-rules`, { closed: true });
    await page.getByRole('button', { name: /^Chat/ }).click();
    await page.getByLabel('Write to the room').fill('too late');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText("The room didn't let your message pass").waitFor();
    assert.equal(await chat.getByText('too late').count(), 0);
  });
});
