// Chromium with the unmodified livekit-client in its pages.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const PAGE = new URL('../page/', import.meta.url).pathname;
const WORKER = new URL('../node_modules/livekit-client/dist/livekit-client.e2ee.worker.js', import.meta.url).pathname;
const PATIENCE_MS = 10_000;

export const FLAGS = [
  '--no-sandbox',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  // Loopback is the network here; Chromium leaves it out of its candidates otherwise.
  '--allow-loopback-in-peer-connection',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  '--mute-audio',
];

/** Where Debian, or anybody, has put Chromium. */
export function chromiumPath() {
  const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  const found = places.find((path) => path && existsSync(path));
  if (!found) throw new Error('Chromium is not installed: e2e/install.sh does that');
  return found;
}

/**
 * A browser, and a site with the test's client in it. `program` runs Chromium somewhere else, such as in a namespace: there
 * the site is played to it instead of served.
 */
export async function startBrowser({ program } = {}) {
  const bundle = await build({
    entryPoints: [`${PAGE}client.js`],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'chrome120',
    logLevel: 'error',
  });
  const files = { '/': [await readFile(`${PAGE}index.html`), 'text/html'], '/client.js': [bundle.outputFiles[0].contents, 'text/javascript'], '/e2ee.worker.js': [await readFile(WORKER), 'text/javascript'] };
  const site = createServer((request, response) => {
    const [body, type] = files[request.url] ?? ['', 'text/plain'];
    response.writeHead(body ? 200 : 404, { 'Content-Type': type }).end(body);
  }).listen(0, '127.0.0.1');
  await once(site, 'listening');
  const executablePath = program?.(chromiumPath()) ?? chromiumPath();
  // The site that is played came from no address at all, so the browser would take the server for somebody's printer. And
  // nobody vouches for a relay's certificate there.
  const args = program ? [...FLAGS, '--disable-features=LocalNetworkAccessChecks', '--ignore-certificate-errors'] : FLAGS;
  const browser = await chromium.launch({ executablePath, args });
  const origin = `http://127.0.0.1:${site.address().port}`;
  return {
    browser,
    origin,
    page: (options) => openPage(browser, origin, { ...options, files: program && files }),
    async stop() {
      await browser.close();
      site.close();
    },
  };
}

/** A page of a context of its own. Its `venue` has the functions of page/client.js. */
async function openPage(browser, origin, { before, files, context: options = {} } = {}) {
  const context = await browser.newContext({ permissions: ['camera', 'microphone'], ...options });
  const page = await context.newPage();
  if (files) await context.route(`${origin}/**`, (route) => play(route, files));
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (process.env.E2E_VERBOSE) console.log(`  [page] ${message.text()}`);
  });
  if (before) await page.addInitScript(before.script, before.argument);
  await page.goto(origin);
  const call = (name, ...args) => page.evaluate(([name, args]) => window.venue[name](...args), [name, args]);
  const venue = new Proxy({}, { get: (_, name) => (name === 'then' ? undefined : (...args) => call(name, ...args)) });
  return { page, venue, errors, close: () => context.close() };
}

function play(route, files) {
  const [body, contentType] = files[new URL(route.request().url()).pathname] ?? ['', 'text/plain'];
  return route.fulfill({ status: body ? 200 : 404, contentType, body: Buffer.from(body) });
}

/** Looks again and again until `look` gives something true. */
export async function eventually(what, look, patience = PATIENCE_MS) {
  const deadline = Date.now() + patience;
  let last;
  for (;;) {
    try {
      last = await look();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`not in ${patience} ms: ${what} (last: ${last instanceof Error ? last.message : JSON.stringify(last)})`);
    await delay(25);
  }
}

/** The first entry of a page's log with this event and these details (undefined: any). */
export async function happened(venue, event, ...details) {
  const fits = (entry) => entry[1] === event && details.every((detail, at) => detail === undefined || isDeepStrictEqual(entry[at + 2], detail));
  return eventually(`${event} ${JSON.stringify(details)}`, async () => (await venue.log()).find(fits));
}


/** The sid of a participant's subscribed track of this source. */
export async function subscribed(venue, identity, source) {
  return eventually(`${source} of ${identity}`, async () => {
    const track = (await venue.other(identity))?.tracks.find((t) => t.source === source && t.subscribed);
    return track?.sid;
  });
}
