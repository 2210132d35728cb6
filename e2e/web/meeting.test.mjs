// The built-in page against a running Odeon (ODEON_URL, e.g. http://127.0.0.1:7880): two people meet by it.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { chromium } from "playwright-core";

const base = process.env.ODEON_URL;
assert.ok(base, "ODEON_URL names the server to test");
/** Screenshots to be looked at. */
const out = new URL("../out/", import.meta.url);

let browser;
before(async () => {
  mkdirSync(out, { recursive: true });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      "--autoplay-policy=no-user-gesture-required",
    ],
  });
});
after(() => browser?.close());

async function visitor(name, path, viewport = { width: 1440, height: 900 }) {
  const context = await browser.newContext({ viewport, locale: "en-GB" });
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (/Content Security Policy/.test(message.text())) complaints.push(message.text());
  });
  await page.goto(base + path);
  return { page, complaints, name, leave: () => context.close() };
}

async function enter({ page, name }) {
  await page.fill("#name", name);
  await page.waitForFunction(() => document.querySelector("video")?.videoWidth > 0);
  await page.click("form button[type=submit]");
  await page.waitForSelector(".stage");
}

/** Two pictures of a remote tile differ: frames are decoded, not only announced. */
async function seesMoving(page, name) {
  await page.waitForFunction((who) => {
    const tile = [...document.querySelectorAll("article")].find((a) => a.textContent.includes(who));
    return tile?.querySelector("video")?.videoWidth > 0;
  }, name);
  const frames = () =>
    page.evaluate((who) => {
      const tile = [...document.querySelectorAll("article")].find((a) => a.textContent.includes(who));
      return tile.querySelector("video").getVideoPlaybackQuality().totalVideoFrames;
    }, name);
  const first = await frames();
  for (let i = 0; i < 100 && (await frames()) < first + 10; i += 1) await page.waitForTimeout(100);
  assert.ok((await frames()) >= first + 10, `${name}'s picture stands still`);
}

describe("two people meet by the page", () => {
  const room = `meeting-${process.pid}`;
  let mari;
  let jaan;

  it("from the entrance through the door into the room, on a desk and on a phone", async () => {
    mari = await visitor("Mari", "/");
    await mari.page.fill("#room", room);
    await mari.page.click("form button[type=submit]");
    await mari.page.waitForURL(`**/${room}`);
    await enter(mari);
    jaan = await visitor("Jaan", `/room/${room}`, { width: 390, height: 844 });
    await enter(jaan);
  });

  it("they see each other move", async () => {
    await Promise.all([seesMoving(mari.page, "Jaan"), seesMoving(jaan.page, "Mari")]);
    await mari.page.screenshot({ path: new URL("meeting-desk.png", out).pathname });
    await jaan.page.screenshot({ path: new URL("meeting-phone.png", out).pathname });
  });

  it("who makes a sound stands in the light (the fake microphone beeps)", async () => {
    await mari.page.waitForSelector("article.speaking:has-text('Jaan')", { timeout: 15_000 });
  });

  it("they write to each other, each line once", async () => {
    for (const { page } of [mari, jaan]) await page.click('[data-panel="chat"]');
    await mari.page.fill("textarea", "Tere õhtust!");
    await mari.page.keyboard.press("Enter");
    await jaan.page.waitForSelector("[role=log] article:has-text('Tere õhtust!')");
    await jaan.page.fill("textarea", "Kas heli on sees?");
    await jaan.page.keyboard.press("Enter");
    await mari.page.waitForSelector("[role=log] article:has-text('Kas heli on sees?')");
    for (const { page } of [mari, jaan]) assert.equal(await page.locator("[role=log] article").count(), 2);
  });

  it("muting and turning the camera off is seen by the other", async () => {
    await mari.page.click('footer [aria-label="Mute microphone"]');
    await mari.page.click('footer [aria-label="Turn camera off"]');
    await jaan.page.click('[data-panel="chat"]');
    await jaan.page.waitForSelector("article:has-text('Mari'):has-text('microphone off')");
    await jaan.page.waitForSelector("article:has-text('Mari') video", { state: "detached" });
  });

  it("who leaves is gone for the other, and nothing was refused by the page's own policy", async () => {
    await mari.page.click('footer [aria-label="Leave"]');
    await mari.page.waitForSelector("h1:text('You left the room')");
    await jaan.page.waitForSelector("article:has-text('Mari')", { state: "detached" });
    assert.deepEqual([...mari.complaints, ...jaan.complaints], []);
    await Promise.all([mari.leave(), jaan.leave()]);
  });
});

describe("the door keeps its word", () => {
  it("a page from elsewhere gets no pass (Q-19)", async () => {
    const answer = await fetch(`${base}/api/rooms/x/join`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: "https://elsewhere.example" },
      body: '{"name":"Mari"}',
    });
    assert.equal(answer.status, 403);
  });

  it("an invitation that is none is refused in plain words", async () => {
    const guest = await visitor("Mari", "/secret#token=not-a-token");
    await guest.page.fill("#name", "Mari");
    await guest.page.click("form button[type=submit]");
    await guest.page.waitForSelector("[role=alert]:has-text(\"This invitation doesn't open the door\")");
    await guest.leave();
  });
});
