/** A browser and the page to look at: the built one (with the server's CSP), and the story page from source. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { createServer, preview } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const axe = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

export const PHONE = { width: 360, height: 740 };
export const DESK = { width: 1440, height: 900 };

/** Opens both servers and Chromium (CHROMIUM names another than Debian's). Call close() at the end. */
export async function openHouse() {
  const built = await preview({ root, preview: { host: "127.0.0.1", port: 0 }, logLevel: "error" });
  const source = await createServer({ root, server: { host: "127.0.0.1", port: 0, hmr: false }, logLevel: "error" });
  await source.listen();
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
  });
  return {
    browser,
    page: `http://127.0.0.1:${built.httpServer.address().port}`,
    story: `http://127.0.0.1:${source.httpServer.address().port}/story/`,
    async close() {
      await browser.close();
      await Promise.all([source.close(), built.close()]);
    },
  };
}

/** A fresh visitor; `complaints` gathers what the browser's console has against the page. */
export async function visit(house, url, options = {}) {
  const context = await house.browser.newContext({ viewport: DESK, locale: "en-GB", ...options });
  const page = await context.newPage();
  const complaints = [];
  const requests = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) complaints.push(message.text());
  });
  page.on("request", (request) => requests.push(request.url()));
  if (options.api) await page.route("**/api/**", options.api);
  await page.goto(url);
  await page.waitForSelector("h1");
  return { page, complaints, requests, leave: () => context.close() };
}

/** axe-core's findings, as lines to read. */
export async function findings(page) {
  // Playwright's evaluate is not bound by the page's CSP.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.map((v) => `${v.impact} ${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`);
}
