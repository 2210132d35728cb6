// Castaway with unmodified clients: npm socket.io-client 4.8.4 in Node and in Chromium, PyPI python-socketio 5.
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { io } from 'socket.io-client';
import { eventually } from '../lib/browser.js';
import { meeting } from '../lib/meeting.js';
import { freePort, startServer } from '../lib/server.js';

const HERE = new URL('..', import.meta.url).pathname;
const CLIENT = `${HERE}node_modules/socket.io-client/dist/socket.io.min.js`;
const PORT = await freePort();
const world = meeting({ settings: { 'castaway.port': PORT } });
const WAYS = { polling: ['polling'], 'polling, then WebSocket': ['polling', 'websocket'], WebSocket: ['websocket'] };

const post = (path, body, headers = {}, method = 'POST', server = world.server) =>
  fetch(`${server.http}${path}`, { method, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });

let people = 0;

/** Somebody with an account: { idToken, refreshToken, uid, email }. */
async function account(server = world.server) {
  const email = `person${process.pid}-${(people += 1)}@venue.example`;
  const answer = await post('/app/api/auth/signup', { email, displayName: `Person ${people}`, password: 'correct horse' }, {}, 'POST', server);
  assert.equal(answer.status, 200);
  const tokens = await answer.json();
  const uid = JSON.parse(Buffer.from(tokens.idToken.split('.')[1], 'base64url')).sub;
  return { ...tokens, email, uid };
}

let shared;
/** One account for all tests: signing up is rate-limited. */
const someone = async () => (shared ??= account());

async function livestream(who, server = world.server) {
  const answer = await post('/app/api/livestreams', { title: 'Evening', description: 'Sounds' }, { idToken: who.idToken }, 'POST', server);
  assert.equal(answer.status, 200);
  return (await answer.json()).livestreamId;
}

/** A socket.io-client; `told` is what it heard: [event, argument]. */
function socket(t, namespace, who, id, { transports = ['polling', 'websocket'], headers = false, url = world.server.http } = {}) {
  const said = { ...(who ? { 'id-token': who.idToken ?? who } : {}), ...(id ? { 'livestream-id': id } : {}) };
  const options = headers ? { extraHeaders: said } : { auth: said };
  const client = io(`${url}${namespace}`, { transports, forceNew: true, reconnection: false, ...options });
  const told = [];
  client.onAny((event, argument) => told.push([event, argument]));
  client.on('disconnect', (reason) => told.push(['disconnect', reason]));
  t.after(() => client.close());
  const hears = (event, more = () => true) =>
    eventually(`${event} (told: ${JSON.stringify(told)})`, async () => told.find(([name, argument]) => name === event && more(argument)));
  return { client, told, hears };
}

const REFUSED = 'User is not authorized to livestream in this room.';

describe('sockets', () => {
  for (const [way, transports] of Object.entries(WAYS)) {
    it(`C-01 C-02 C-03 C-04 C-05 C-07 C-08: by ${way} a client is let in, told why not, and disconnected`, async (t) => {
      const who = await someone();
      const id = await livestream(who);
      const cases = [
        ['/streamer', undefined, undefined, 'Id token not provided.'],
        ['/listener', undefined, id, 'Id token not provided.'],
        ['/listener', who, undefined, 'Livestream id not provided.'],
        ['/streamer', 'a.b.c', id, 'Id token is invalid.'],
        ['/streamer', who, 'unknown', REFUSED],
        ['/listener', who, 'unknown', 'Livestream unknown does not exist.'],
        ['/listener', who, id, `Livestream ${id} has not started.`],
      ];
      for (const [namespace, token, room, text] of cases) {
        const { client, told, hears } = socket(t, namespace, token, room, { transports });
        await once(client, 'connect');
        await hears('disconnect');
        assert.deepEqual(told, [['error', text], ['disconnect', 'io server disconnect']]);
      }
    });

    it(`C-06 C-09 C-10 C-11: by ${way} all sorts of payloads are heard as they were sent`, async (t) => {
      const who = await someone();
      const id = await livestream(who);
      const streamer = socket(t, '/streamer', who, id, { transports });
      assert.equal((await streamer.hears('success'))[1], `User ${who.uid} connected as streamer to livestream ${id}.`);
      const listeners = Object.values(WAYS).map((transports) => socket(t, '/listener', who, id, { transports }));
      for (const one of listeners) {
        assert.equal((await one.hears('success'))[1], `User ${who.uid} connected as listener to livestream ${id}.`);
      }
      if (transports.length > 1) await eventually('it is a WebSocket by now', async () => streamer.client.io.engine.transport.name === 'websocket');
      const payloads = [Buffer.alloc(1_000_000, 7), 'data:audio/mp4;base64,AAAA', { at: 1.5, sound: [Buffer.from([0, 255]), Buffer.alloc(0)] }, null, 17, [true]];
      for (const payload of payloads) {
        streamer.client.emit('upload', payload, 'further');
        for (const one of listeners) {
          await one.hears('audio', (heard) => {
            try {
              assert.deepEqual(heard, payload);
              return true;
            } catch {
              return false;
            }
          });
        }
      }
      const received = streamer.told.filter(([event, text]) => event === 'success' && text === `Packet received from user ${who.uid}`);
      await eventually('each was received', async () => received.length <= payloads.length && streamer.told.length === payloads.length + 1);
      for (const one of listeners) assert.equal(one.told.length, payloads.length + 1, 'each once');
    });
  }

  it('headers carry the same as the payload', async (t) => {
    const who = await someone();
    const id = await livestream(who);
    const streamer = socket(t, '/streamer', who, id, { headers: true });
    await streamer.hears('success');
  });

  it('C-12: a streamer who leaves ends it; one who is lost is waited for', async (t) => {
    const who = await someone();
    const id = await livestream(who);
    const lost = socket(t, '/streamer', who, id, { transports: ['websocket'] });
    await lost.hears('success');
    const listener = socket(t, '/listener', who, id);
    await listener.hears('success');
    lost.client.io.engine.transport.ws._socket?.destroy?.() ?? lost.client.io.engine.transport.ws.close();
    await lost.hears('disconnect');
    const again = socket(t, '/streamer', who, id);
    await again.hears('success');
    again.client.emit('upload', Buffer.from('on'));
    await listener.hears('audio');
    again.client.disconnect();
    assert.equal((await listener.hears('error'))[1], `Livestream ${id} has ended.`);
    await listener.hears('disconnect', (reason) => reason === 'io server disconnect');
  });

  it('C-12: half a minute after the network was lost, it has ended', async (t) => {
    const who = await someone();
    const id = await livestream(who);
    const lost = socket(t, '/streamer', who, id, { transports: ['websocket'] });
    await lost.hears('success');
    const listener = socket(t, '/listener', who, id);
    await listener.hears('success');
    lost.client.io.engine.transport.ws.close();
    const began = Date.now();
    await delay(25_000);
    assert.deepEqual(listener.told.length, 1, 'it waits');
    assert.equal((await listener.hears('error'))[1], `Livestream ${id} has ended.`);
    assert.ok(Date.now() - began > 29_000);
  });

  it('C-14: a second socket takes over, and who comes late hears the newest at once', async (t) => {
    const who = await someone();
    const id = await livestream(who);
    const first = socket(t, '/streamer', who, id);
    await first.hears('success');
    const second = socket(t, '/streamer', who, id);
    await first.hears('disconnect');
    second.client.emit('upload', Buffer.from('old'));
    second.client.emit('upload', Buffer.from('newest'));
    await eventually('both came', async () => second.told.length === 3);
    const late = socket(t, '/listener', who, id);
    assert.deepEqual([...(await late.hears('audio'))[1]], [...Buffer.from('newest')]);
  });

  it('C-06 C-09 C-10: in Chromium, from a page of another origin', async (t) => {
    const who = await someone();
    const id = await livestream(who);
    const context = await world.browser.browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(world.browser.origin);
    await page.addScriptTag({ path: CLIENT });
    await page.evaluate(
      ([url, token, id]) => {
        window.told = [];
        window.open_ = (namespace, transports) => {
          const client = io(url + namespace, { transports, forceNew: true, auth: { 'id-token': token, 'livestream-id': id } });
          client.onAny((event, argument) => window.told.push([namespace, transports.join(), event, argument instanceof ArrayBuffer ? [...new Uint8Array(argument)] : argument]));
          return client;
        };
        window.streamer = window.open_('/streamer', ['polling', 'websocket']);
      },
      [world.server.http, who.idToken, id],
    );
    await page.waitForFunction(() => window.told.length === 1);
    await page.evaluate(() => [['polling'], ['websocket'], ['polling', 'websocket']].map((ways) => void window.open_('/listener', ways)));
    await page.waitForFunction(() => window.told.filter(([, , event]) => event === 'success').length === 4);
    await page.evaluate(() => window.streamer.emit('upload', new Uint8Array([1, 2, 255])));
    await page.waitForFunction(() => window.told.filter(([, , event]) => event === 'audio').length === 3);
    const heard = await page.evaluate(() => window.told.filter(([, , event]) => event === 'audio').map(([, , , payload]) => payload));
    assert.deepEqual(heard, [[1, 2, 255], [1, 2, 255], [1, 2, 255]]);
    // CORS lets the page set headers too, and read the REST.
    const status = await page.evaluate(
      async ([url, token, id]) => {
        const client = io(`${url}/listener`, { transports: ['polling'], forceNew: true, extraHeaders: { 'id-token': token, 'livestream-id': id } });
        const text = await new Promise((resolve) => client.on('success', resolve));
        return [text, (await fetch(`${url}/app/api/livestreams`)).status];
      },
      [world.server.http, who.idToken, id],
    );
    assert.deepEqual(status, [`User ${who.uid} connected as listener to livestream ${id}.`, 200]);
  });

  it('C-06 C-09 C-10: python-socketio streams and listens', async (t) => {
    const who = await someone();
    const id = await livestream(who);
    const python = spawn(`${HERE}.venv/bin/python`, ['-u', `${HERE}python/castaway.py`, world.server.http, who.idToken, id], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => python.kill());
    let out = '';
    python.stdout.on('data', (data) => (out += data));
    const ended = once(python, 'exit');
    await eventually('it streams', async () => out.includes('streaming'));
    const listener = socket(t, '/listener', who, id);
    await listener.hears('success');
    python.stdin.write('go\n');
    await listener.hears('audio', (payload) => Buffer.isBuffer(payload) && payload.equals(Buffer.from([0, 1, 254, 255])));
    const [code] = await ended;
    assert.equal(code, 0, out);
    for (const way of ['polling', 'websocket', 'upgrade']) assert.ok(out.includes(`${way} heard`), out);
  });
});

describe('the REST of the app', () => {
  it('C-15, C-16, C-18, C-20: an app signs in, asks who it is, announces, lists and removes', async () => {
    const who = await account();
    const login = await post('/app/api/auth/login', { email: who.email, password: 'correct horse' });
    assert.equal(login.status, 200);
    const { refreshToken } = await login.json();
    const refreshed = await post('/app/api/auth/refreshToken', { refreshToken });
    assert.ok((await refreshed.json()).idToken);
    const wrong = await post('/app/api/auth/login', { email: who.email, password: 'guess' });
    assert.deepEqual([wrong.status, await wrong.json()], [404, { status: 'FAILED', data: { error: 'User not found. Sign up now?' } }]);
    const info = await (await post('/app/api/users/info', { idToken: who.idToken })).json();
    assert.deepEqual([info.email, info.numberOfCreations, info.numberOfFavorites], [who.email, 0, 0]);
    const id = await livestream(who);
    const empty = await post('/app/api/livestreams', { title: '', description: 'd' }, { idToken: who.idToken });
    assert.deepEqual([empty.status, await empty.json()], [400, { errors: [{ value: '', msg: 'Title must not be empty.', param: 'title', location: 'body' }] }]);
    const form = await fetch(`${world.server.http}/app/api/livestreams`, { method: 'POST', headers: { idToken: who.idToken }, body: new URLSearchParams({ title: 'Form', description: 'd' }) });
    assert.equal(form.status, 200);
    const all = await (await fetch(`${world.server.http}/api/livestreams`)).json();
    assert.ok(all.some((one) => one.livestreamId === id && one.streamerConnected === false));
    const removed = await fetch(`${world.server.http}/api/livestreams/${id}`, { method: 'DELETE', headers: { idToken: who.idToken } });
    assert.deepEqual(await removed.json(), { status: 'OK', message: 'Your livestream has been removed.' });
    const missing = await fetch(`${world.server.http}/api/livestreams/${id}`);
    assert.deepEqual([missing.status, await missing.json()], [404, { status: 'FAILED', data: { error: `Livestream ${id} not found.` } }]);
  });

  it('C-23: the port set aside for it says that it is up, and does all the rest', async (t) => {
    const own = `http://127.0.0.1:${PORT}`;
    assert.equal(await (await fetch(`${own}/`)).text(), 'Media server is up and running.');
    assert.equal((await fetch(`${own}/healthcheck`)).status, 200);
    assert.equal(await (await fetch(`${world.server.http}/`)).text(), 'OK');
    const who = await someone();
    const id = await livestream(who);
    const streamer = socket(t, '/streamer', who, id, { url: own });
    await streamer.hears('success');
  });
});

const FFMPEG = ['ffmpeg', 'ffprobe'].every((name) => {
  try {
    execFileSync(name, ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

/** Seconds of a file, by ffprobe's reading of all packets. */
async function duration(file) {
  const { stdout } = await promisify(execFile)('ffprobe', ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', file]);
  return Number(stdout);
}

describe('recordings', { skip: FFMPEG ? false : 'ffmpeg is not installed: e2e/install.sh does that' }, () => {
  const FORMATS = {
    mp3: ['-c:a', 'libmp3lame'],
    adts: ['-c:a', 'aac'],
    mp4: ['-c:a', 'aac'],
    m4a: ['-c:a', 'aac'],
    webm: ['-c:a', 'libopus'],
    ogg: ['-c:a', 'libopus'],
    wav: [],
  };
  // One stream that was cut somewhere, as browsers' MediaRecorder does it: only the first piece has a head.
  const CUT = {
    mp3: ['-c:a', 'libmp3lame'],
    mp4: ['-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov+default_base_moof', '-frag_duration', '500000'],
    webm: ['-c:a', 'libopus', '-cluster_time_limit', '500'],
    ogg: ['-c:a', 'libopus'],
  };
  const sine = (file, seconds, options) => execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', `sine=duration=${seconds}`, ...options, file]);

  /** Streams the pieces; says what became of them, and leaves it in `file`. */
  async function recording(t, pieces, file) {
    const who = await someone();
    const id = await livestream(who);
    const streamer = socket(t, '/streamer', who, id);
    await streamer.hears('success');
    for (const piece of pieces) streamer.client.emit('upload', piece);
    await eventually('all came', async () => streamer.told.length === pieces.length + 1);
    const podcasts = async () => (await fetch(`${world.server.http}/api/podcasts`)).json();
    const before = (await podcasts()).length;
    streamer.client.disconnect();
    await eventually('it is listed', async () => (await podcasts()).length === before + 1);
    await fetch(`${world.server.http}/app/api/livestreams/${id}`, { method: 'DELETE', headers: { idToken: who.idToken } });
    const [podcast] = await podcasts();
    const { podcastUrl } = await (await post(`/app/api/podcasts/${podcast.podcastId}/stream`, { idToken: who.idToken })).json();
    const whole = Buffer.from(await (await fetch(podcastUrl)).arrayBuffer());
    writeFileSync(file, whole);
    return { podcast, podcastUrl, whole, seconds: await duration(file) };
  }

  const folder = (t) => {
    const made = mkdtempSync(join(tmpdir(), 'odeon-sound-'));
    t.after(() => rmSync(made, { recursive: true }));
    return made;
  };

  for (const [format, options] of Object.entries(FORMATS)) {
    it(`C-11, C-19, C-21: three files of ${format} are one podcast of their whole length, played in parts`, async (t) => {
      const dir = folder(t);
      const pieces = [1, 2, 3].map((number) => {
        const file = join(dir, `${number}.${format}`);
        sine(file, 2, options);
        return readFileSync(file);
      });
      const { podcast, podcastUrl, whole, seconds } = await recording(t, pieces, join(dir, 'whole'));
      assert.deepEqual([podcast.title, podcast.durationInMinutes], ['Evening', 1]);
      const part = await fetch(podcastUrl, { headers: { Range: 'bytes=100-199' } });
      assert.deepEqual([part.status, part.headers.get('content-range')], [206, `bytes 100-199/${whole.length}`]);
      assert.ok(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(100, 200)));
      assert.ok(seconds > 5.8 && seconds < 6.4, `${seconds} s`);
    });
  }

  for (const [format, options] of Object.entries(CUT)) {
    it(`C-11, C-19: one stream of ${format} that was cut into pieces is whole again`, async (t) => {
      const dir = folder(t);
      const file = join(dir, `1.${format}`);
      sine(file, 6, options);
      const bytes = readFileSync(file);
      const size = Math.ceil(bytes.length / 5);
      const pieces = [0, 1, 2, 3, 4].map((number) => bytes.subarray(number * size, (number + 1) * size));
      const { seconds } = await recording(t, pieces, join(dir, 'whole'));
      assert.ok(seconds > 5.8 && seconds < 6.4, `${seconds} s`);
    });
  }

  it('C-22, C-21: an mp3 and a picture are uploaded by forms and become a podcast', async (t) => {
    const dir = folder(t);
    sine(join(dir, 'a.mp3'), 70, []);
    execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'color=red:size=64x64', '-frames:v', '1', join(dir, 'a.png')]);
    const who = await someone();
    const upload = async (path, field, file) => {
      const form = new FormData();
      form.append('idToken', who.idToken);
      form.append(field, new Blob([readFileSync(join(dir, file))]), file);
      const answer = await fetch(`${world.server.http}/app/api/uploads/${path}`, { method: 'POST', body: form });
      assert.equal(answer.status, 200);
      return answer.json();
    };
    const { podcastUploadId } = await upload('podcasts', 'podcast', 'a.mp3');
    const { imageUploadId } = await upload('images', 'image', 'a.png');
    const created = await post('/app/api/podcasts', { idToken: who.idToken, podcastUploadId, imageUploadId, title: 'T', description: 'D', genres: ['a'], public: true });
    const { podcastId } = await created.json();
    const info = await (await post(`/app/api/podcasts/${podcastId}/info`, {})).json();
    assert.deepEqual([info.title, info.durationInMinutes, info.genres, info.public], ['T', 1, ['a'], true]);
    assert.equal((await fetch(info.imgUrl)).headers.get('content-type'), 'image/png');
  });
});

describe('a server that is killed', () => {
  it('C-18, C-19, Q-4: accounts, livestreams and what was streamed are there after it', async (t) => {
    const data = mkdtempSync(join(tmpdir(), 'odeon-castaway-'));
    t.after(() => rmSync(data, { recursive: true, force: true }));
    const first = await startServer({ 'data-dir': data });
    const who = await account(first);
    const id = await livestream(who, first);
    const streamer = socket(t, '/streamer', who, id, { url: first.http });
    await streamer.hears('success');
    const frame = Buffer.concat([Buffer.from([0xff, 0xfb, 0x18, 0xc4]), Buffer.alloc(140, 0x55)]);
    streamer.client.emit('upload', Buffer.concat(Array(100).fill(frame)));
    await eventually('it came', async () => streamer.told.length === 2);
    await delay(500);
    await first.kill();
    const second = await startServer({ 'data-dir': data });
    t.after(() => second.stop());
    const all = await (await fetch(`${second.http}/api/livestreams`)).json();
    assert.equal(all[0].livestreamId, id);
    await eventually('it is listed', async () => (await (await fetch(`${second.http}/api/podcasts`)).json()).length === 1);
    assert.equal((await post('/api/auth/login', { email: who.email, password: 'correct horse' }, {}, 'POST', second)).status, 200);
  });
});
