// E-44: the examples, run as an artist would: pages in Chromium, the patch's script in Node, the sketch and the board in Python.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { eventually } from '../lib/browser.js';
import { meeting } from '../lib/meeting.js';

const HERE = new URL('..', import.meta.url).pathname;
const EXAMPLES = new URL('../../examples/', import.meta.url).pathname;
const library = (path) => createRequire(import.meta.url).resolve(path);
/** What an artist puts beside the page, from npm. */
const LIBRARIES = {
  'p5.min.js': `${HERE}node_modules/p5/lib/p5.min.js`,
  'Tone.js': `${HERE}node_modules/tone/build/Tone.js`,
  'vue.global.prod.js': `${HERE}node_modules/vue/dist/vue.global.prod.js`,
  'reconnecting-websocket.js': library('reconnecting-websocket/dist/reconnecting-websocket-iife.js'),
};
const TYPES = { html: 'text/html', js: 'text/javascript' };

const world = meeting();
let site;

before(async () => {
  site = createServer(async ({ url }, response) => {
    const path = new URL(url, 'http://site').pathname;
    const file = LIBRARIES[path.split('/').at(-1)] ?? `${EXAMPLES}${path.slice(1)}`;
    const body = await readFile(file).catch(() => undefined);
    response.writeHead(body ? 200 : 404, { 'Content-Type': TYPES[path.split('.').at(-1)] ?? 'text/plain' }).end(body);
  }).listen(0, '127.0.0.1');
  await once(site, 'listening');
});
after(() => site?.close());

/** An example's page, opened by somebody in that room. */
async function open(t, example, room, more = {}) {
  const context = await world.browser.browser.newContext({ permissions: ['camera'] });
  t.after(() => context.close());
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  const address = new URLSearchParams({ venue: `${world.server.ws}/`, room, ...more });
  await page.goto(`http://127.0.0.1:${site.address().port}/${example}/index.html?${address}`);
  return page;
}

/** Somebody else on the bus. */
async function sketch(t) {
  const socket = new WebSocket(`${world.server.ws}/`);
  const heard = [];
  socket.on('message', (data) => heard.push(JSON.parse(data.toString())));
  t.after(() => socket.terminate());
  await once(socket, 'open');
  return { say: (message) => socket.send(JSON.stringify(message)), of: (type) => heard.filter((message) => message.type === type) };
}

/** A program of an example, its lines, and a way to tell it something. */
function run(t, command, args, env = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  const lines = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  return { lines, tell: (...message) => child.stdin.write(`${JSON.stringify(message)}\n`) };
}

describe('E-44: the examples', () => {
  it('p5: everybody has everybody\'s camera on one canvas', async (t) => {
    const [ada, ben] = [await open(t, 'p5', 'faces'), await open(t, 'p5', 'faces')];
    // The fake camera's picture is green; the canvas is dark where nobody is.
    const greens = (page) =>
      page.evaluate(() => {
        const canvas = document.querySelector('canvas');
        const density = canvas.width / (4 * 150);
        const context = canvas.getContext('2d');
        return [0, 1, 2].filter((place) => {
          const [red, green] = context.getImageData((place * 150 + 75) * density, 30 * density, 1, 1).data;
          return green > 100 && green > red + 50;
        }).length;
      });
    for (const page of [ada, ben]) await eventually('two pictures are on the canvas', async () => (await greens(page)) === 2, 30_000);
    const other = await sketch(t);
    await eventually('others get them too', async () => new Set(other.of('IMAGE').map(({ userId }) => userId)).size === 2);
    assert.match(other.of('IMAGE')[0].value, /^data:image\/jpeg;base64,/);
    assert.deepEqual([...ada.problems, ...ben.problems], []);
  });

  it('Tone: whoever moves the slider, all hear the same pitch', async (t) => {
    const [ada, ben] = [await open(t, 'tone', 'sound'), await open(t, 'tone', 'sound')];
    await ben.getByRole('button', { name: 'Sound on' }).click();
    const other = await sketch(t);
    await ada.getByLabel('Pitch').fill('523');
    for (const page of [ada, ben]) await page.getByText('523 Hz').waitFor();
    await eventually('it is said on the bus', async () => other.of('PITCH').some(({ value }) => value === 523));
    await eventually('it is heard', () => ben.evaluate(() => Math.abs(voice.frequency.value - 523) < 1));
    assert.deepEqual([...ada.problems, ...ben.problems], []);
  });

  it('Vue: a chat with what was said before, also by others', async (t) => {
    const ada = await open(t, 'vue', 'talk', { name: 'Ada' });
    const other = await sketch(t);
    await ada.getByPlaceholder('Say something').fill('good evening');
    await ada.keyboard.press('Enter');
    await ada.getByText('Ada good evening').waitFor();
    other.say({ type: 'CHAT', channel: 'talk', userId: 'ben', userName: 'Ben', value: 'hello from a sketch' });
    await ada.getByText('Ben hello from a sketch').waitFor();
    const late = await open(t, 'vue', 'talk', { name: 'Late' });
    for (const line of ['Ada good evening', 'Ben hello from a sketch']) await late.getByText(line).waitFor();
    assert.deepEqual([...ada.problems, ...late.problems], []);
    const lines = (await readFile(`${EXAMPLES}vue/index.html`, 'utf8')).trimEnd().split('\n').length;
    assert.equal(lines <= 40, true, `${lines} lines`);
  });

  it('Max: a dial in the patch goes to the room, and the room\'s comes out', async (t) => {
    const other = await sketch(t);
    const path = `${HERE}lib/max:${HERE}node_modules`;
    const patch = run(t, process.execPath, [`${EXAMPLES}max/odeon.js`, `${world.server.ws}/`, 'dials'], { NODE_PATH: path });
    await eventually('it is connected', async () => patch.lines.includes('["connected",1]'));
    patch.tell('dial', 0.25);
    await eventually('the room hears it', async () => other.of('DIAL').some(({ value }) => value === 0.25));
    other.say({ type: 'DIAL', channel: 'dials', value: 0.75 });
    await eventually('the patch hears both', async () => patch.lines.includes('["dial",0.25]') && patch.lines.includes('["dial",0.75]'));
    const { patcher } = JSON.parse(await readFile(`${EXAMPLES}max/odeon.maxpat`, 'utf8'));
    const ids = new Set(patcher.boxes.map(({ box }) => box.id));
    assert.equal(patcher.lines.every(({ patchline }) => ids.has(patchline.source[0]) && ids.has(patchline.destination[0])), true);
    assert.equal(patcher.boxes.some(({ box }) => box.text?.startsWith('node.script odeon.js')), true);
  });

  it('Python: sends a wave and prints what is said', async (t) => {
    const other = await sketch(t);
    const python = run(t, `${HERE}.venv/bin/python`, [`${EXAMPLES}python/sketch.py`, `${world.server.ws}/`, 'waves']);
    await eventually('the room hears it', async () => other.of('WAVE').length >= 2);
    other.say({ type: 'ANYTHING', channel: 'waves', userName: 'Ben', value: 'seen' });
    await eventually('it prints both', async () => python.lines.includes('Ben ANYTHING seen') && python.lines.some((line) => line.startsWith('Python WAVE')));
  });

  it('a microcontroller: its sensor is heard, and what the room says does not stop it', async (t) => {
    const other = await sketch(t);
    run(t, `${HERE}.venv/bin/python`, [`${EXAMPLES}microcontroller/main.py`, '127.0.0.1', String(world.server.port), 'garden']);
    await eventually('a first value', async () => other.of('SENSOR').length >= 1);
    for (let i = 0; i < 50; i += 1) other.say({ type: 'NOISE', channel: 'garden', value: 'x'.repeat(1000) });
    const before = other.of('SENSOR').length;
    await eventually('it goes on', async () => other.of('SENSOR').length >= before + 3);
    assert.equal(other.of('SENSOR').every(({ value, userId }) => typeof value === 'number' && userId === 'board'), true);
  });
});
