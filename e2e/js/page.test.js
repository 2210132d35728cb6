// The web page itself, as two visitors use it: by what they read and press, with the server's own page tokens.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { FLAGS, chromiumPath, eventually } from '../lib/browser.js';
import { startServer } from '../lib/server.js';

const SHOTS = new URL('../out/', import.meta.url).pathname;
// Three cameras to choose from (the second sees depth, which no browser sends) and microphones; and the browser's own dialogue answered with the tab itself.
const DEVICES = ['--use-fake-device-for-media-stream=device-count=3', '--auto-select-tab-capture-source-by-title=Odeon'];
let server;
let browser;

before(async () => {
  mkdirSync(SHOTS, { recursive: true });
  server = await startServer();
  browser = await chromium.launch({ executablePath: chromiumPath(), args: [...FLAGS, ...DEVICES] });
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A visitor with a camera and a microphone of their own. */
async function visitor(t, viewport = { width: 1280, height: 800 }) {
  const context = await browser.newContext({ permissions: ['camera', 'microphone'], viewport, locale: 'en-GB' });
  t.after(() => context.close());
  const page = await context.newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && page.problems.push(message.text()));
  return page;
}

/** Through the entrance: a room, a name, the door. */
async function enter(page, room, name) {
  await page.goto(`${server.http}/`);
  await page.getByLabel('Room', { exact: true }).fill(room);
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Go to the door' }).click();
  await page.locator('video').first().waitFor(); // the preview: camera and microphone are there
  await page.getByText('Fake Default Audio Input').first().waitFor({ state: 'attached' });
  await page.getByRole('button', { name: 'Enter', exact: true }).click();
  await page.getByRole('button', { name: 'Leave' }).waitFor();
}

/** Videos on the page whose pictures move. */
async function moving(page) {
  return page.evaluate(async () => {
    const glance = (video) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 32, height: 18 });
      const context = canvas.getContext('2d');
      context.drawImage(video, 0, 0, 32, 18);
      return String(context.getImageData(0, 0, 32, 18).data);
    };
    const videos = [...document.querySelectorAll('video')].filter((video) => video.videoWidth > 0);
    const first = videos.map(glance);
    await new Promise((resolve) => setTimeout(resolve, 700));
    return videos.filter((video, index) => glance(video) !== first[index]).length;
  });
}

describe('the page', () => {
  it('two visitors enter a room, see each other, chat, and one leaves', async (t) => {
    const [ada, ben] = [await visitor(t), await visitor(t, { width: 390, height: 844 })];
    await enter(ada, 'residence', 'Ada');
    await enter(ben, 'residence', 'Ben');
    await eventually('Ada sees two pictures move', async () => (await moving(ada)) === 2);
    await eventually('Ben sees two pictures move', async () => (await moving(ben)) === 2);
    await ada.getByText('Ben', { exact: true }).first().waitFor();
    await ada.getByRole('button', { name: /^Chat/ }).click();
    await ada.getByLabel('Write to the room').fill('good evening');
    await ada.getByRole('button', { name: 'Send' }).click();
    await ben.getByRole('button', { name: /^Chat/ }).click();
    await ben.getByText('good evening').first().waitFor();
    assert.equal(await ben.getByText('good evening').count(), 1, 'said once, heard once');
    await ada.screenshot({ path: `${SHOTS}page-desktop.png` });
    await ben.screenshot({ path: `${SHOTS}page-phone.png` });
    await ada.getByRole('button', { name: 'Leave' }).click();
    await ada.getByRole('heading', { name: 'You left the room' }).waitFor();
    await eventually('Ben is alone', async () => (await ben.locator('video').count()) === 1);
    assert.deepEqual([...ada.problems, ...ben.problems], []);
  });

  it('a microphone muted on the page is shown as muted to others', async (t) => {
    const [ada, ben] = [await visitor(t), await visitor(t)];
    await enter(ada, 'mutes', 'Ada');
    await enter(ben, 'mutes', 'Ben');
    await eventually('both are there', async () => (await moving(ben)) === 2);
    const before = await ben.getByLabel(/microphone off/).count();
    await ada.getByRole('button', { name: 'Mute microphone' }).click();
    await eventually('it shows', async () => (await ben.getByLabel(/microphone off/).count()) > before);
  });

  it('E-40: whoever has no name gets one, which the browser keeps, and changes it', async (t) => {
    const ada = await visitor(t);
    await ada.goto(`${server.http}/names`);
    const name = ada.getByLabel('Your name');
    const drawn = await name.inputValue();
    assert.match(drawn, /^[A-Z][a-z]+ [A-Z][a-z]+$/);
    await ada.reload();
    assert.equal(await name.inputValue(), drawn);
    await ada.locator('video').first().waitFor();
    await name.fill('Ada');
    await ada.getByRole('button', { name: 'Enter', exact: true }).click();
    await ada.getByRole('button', { name: 'Leave' }).waitFor();
    await ada.goto(`${server.http}/elsewhere`);
    assert.equal(await name.inputValue(), 'Ada');
  });

  it('E-36 E-37: who shows themselves in the live audience is seen in its grid, and counted', async (t) => {
    const [ada, ben] = [await visitor(t), await visitor(t)];
    await enter(ada, 'audience', 'Ada');
    await enter(ben, 'audience', 'Ben');
    for (const page of [ada, ben]) await page.getByRole('button', { name: 'People' }).click();
    await ada.getByText('Nobody shows a picture yet').waitFor();
    await ada.getByRole('button', { name: 'Show me, a picture a second' }).click();
    for (const page of [ada, ben]) await page.getByRole('img', { name: 'Pictures: 1' }).waitFor();
    await ben.getByRole('button', { name: 'Show me, a picture a second' }).click();
    const grid = ada.getByRole('img', { name: 'Pictures: 2' });
    await grid.waitFor();
    const shown = await grid.locator('img').evaluateAll((images) => images.map((image) => [image.naturalWidth, image.naturalHeight]));
    assert.deepEqual(shown, [[150, 120], [150, 120]]);
    const first = await grid.locator('img').first().getAttribute('src');
    await eventually('the picture is renewed', async () => (await grid.locator('img').first().getAttribute('src')) !== first);
    await ada.screenshot({ path: `${SHOTS}page-audience.png` });
    await ada.getByRole('button', { name: 'Stop showing me' }).click();
    const series = async () => (await (await fetch(`${server.http}/api/rooms/audience/statistics`)).json()).points;
    const points = await eventually(
      'a point of ten seconds',
      async () => {
        await delay(1000); // asked as often as a page does: more is refused
        const points = await series();
        return points?.some(({ people }) => people === 2) && points;
      },
      25_000,
    );
    assert.equal(points.some(({ brightness, motion, faces }) => brightness > 0.1 && motion !== null && faces === null), true, JSON.stringify(points));
    const curves = await visitor(t);
    await curves.goto(`${server.http}/audience/statistics`);
    await curves.getByRole('heading', { name: 'The audience of audience' }).waitFor();
    assert.equal(await curves.locator('polyline').count(), 3);
    await curves.screenshot({ path: `${SHOTS}page-statistics.png` });
    assert.deepEqual([...ada.problems, ...ben.problems, ...curves.problems], []);
  });

  it('a shared screen is seen large by the other, and is gone when it is taken back', async (t) => {
    const [ada, ben] = [await visitor(t), await visitor(t)];
    await enter(ada, 'screens', 'Ada');
    await enter(ben, 'screens', 'Ben');
    await eventually('both are there', async () => (await moving(ben)) === 2);
    await ada.getByRole('button', { name: 'Share screen' }).click();
    await ada.getByRole('button', { name: 'Stop sharing' }).waitFor();
    await eventually('Ben has three pictures', async () => (await decoded(ben)).length === 3);
    const [widest, ...others] = (await decoded(ben)).sort((a, b) => b.shown - a.shown);
    assert.equal(widest.width > 640 || widest.height > 480, true, `a screen's pixels: ${JSON.stringify(widest)}`);
    assert.equal(others.every((video) => video.shown < widest.shown / 2), true, 'the screen is the largest on the page');
    await ben.screenshot({ path: `${SHOTS}page-screen.png` });
    await ada.getByRole('button', { name: 'Stop sharing' }).click();
    await eventually('the screen is gone', async () => (await decoded(ben)).length === 2);
    assert.deepEqual([...ada.problems, ...ben.problems], []);
  });

  it('another camera and microphone are chosen at the door, and others again inside, and the others see and hear them', async (t) => {
    const [ada, ben] = [await visitor(t), await visitor(t)];
    await ada.goto(`${server.http}/devices`);
    await ada.getByLabel('Your name').fill('Ada');
    await ada.locator('video').first().waitFor();
    await choose(ada, 'Camera', 2);
    await choose(ada, 'Microphone', 1);
    await ada.getByRole('button', { name: 'Enter', exact: true }).click();
    await ada.getByRole('button', { name: 'Leave' }).waitFor();
    await enter(ben, 'devices', 'Ben');
    await eventually('both are there', async () => (await moving(ben)) === 2);
    await ada.getByRole('button', { name: 'Devices' }).click();
    assert.equal(await chosen(ada, 'Camera'), 2, 'what was chosen at the door is in use');
    assert.equal(await chosen(ada, 'Microphone'), 1);
    await choose(ada, 'Camera', 0);
    await choose(ada, 'Microphone', 0);
    await eventually('it is in use', async () => (await chosen(ada, 'Camera')) === 0 && (await chosen(ada, 'Microphone')) === 0);
    await eventually('Ben sees two pictures move', async () => (await moving(ben)) === 2);
    assert.deepEqual([...ada.problems, ...ben.problems], []);
  });
});

/** Each video with a picture: its pixels, and how much of the page it takes. */
function decoded(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('video')]
      .filter((video) => video.videoWidth > 0)
      .map((video) => ({ width: video.videoWidth, height: video.videoHeight, shown: video.clientWidth * video.clientHeight })),
  );
}

async function choose(page, label, index) {
  const select = page.getByLabel(label, { exact: true });
  await eventually('there are several to choose from', async () => (await select.locator('option').count()) > 1);
  await select.selectOption({ index });
}

/** Which of the list is shown as chosen. */
function chosen(page, label) {
  return page.getByLabel(label, { exact: true }).evaluate((select) => select.selectedIndex);
}
