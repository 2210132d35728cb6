// The room in Chromium, behind the server's CSP: connecting, publishing, chat, and the ways out.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { DisconnectReason } from "@livekit/protocol";
import { findings, openHouse, visit } from "./house.mjs";
import { JAAN, standIn } from "./standin.mjs";

let house;
before(async () => (house = await openHouse()));
after(() => house?.close());

const pass = '{"token":"t","identity":"guest-mari","room":"residence"}';
const api = (route) => route.fulfill({ status: 200, contentType: "application/json", body: pass });

async function enter(options) {
  const visitor = await visit(house, `${house.page}/residence`, { api });
  const context = await house.browser.newContext({ permissions: ["camera", "microphone"] });
  const peer = await context.newPage();
  await peer.goto(house.page); // a secure origin with the same rights as the page
  const server = await standIn(visitor.page, peer, options);
  await visitor.page.fill("#name", "Mari");
  await visitor.page.waitForFunction(() => document.querySelector("video")?.videoWidth > 0);
  await visitor.page.click("form button[type=submit]");
  await visitor.page.waitForSelector(".stage");
  visitor.page.on("console", (message) => server.log.push(message.text().slice(0, 200)));
  return { ...visitor, server, async leave() { await context.close(); await visitor.leave(); } };
}

const until = async (what, log = []) => {
  for (let i = 0; i < 400; i += 1) {
    if (what()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`never came: ${what}\n${log.join("\n")}`);
};

describe("inside a room", () => {
  it("one is seen with the others, and what ran at the door is published", async () => {
    const { page, server, complaints, leave } = await enter();
    await until(() => server.published.length === 2);
    assert.deepEqual(server.published.map((t) => t.source).sort(), [1, 2]); // camera, microphone
    await page.waitForSelector("article:has-text('Jaan')");
    await page.waitForFunction(() => document.querySelector("article video")?.videoWidth > 0);
    assert.deepEqual(await findings(page), []);
    assert.deepEqual(complaints, []);
    await leave();
  });

  it("muting and unmuting is told to the server and seen", async () => {
    const { page, leave } = await enter();
    await page.click('footer [aria-label="Mute microphone"]');
    await page.waitForSelector('footer [aria-label="Turn microphone on"]');
    await page.click('footer [aria-label="Turn microphone on"]');
    await page.waitForSelector('footer [aria-label="Mute microphone"]');
    await leave();
  });

  it("speaking, connection quality and coming and going are seen", async () => {
    const { page, server, leave } = await enter();
    server.tell({ case: "speakersChanged", value: { speakers: [{ sid: JAAN.sid, level: 0.8, active: true }] } });
    server.tell({ case: "connectionQuality", value: { updates: [{ participantSid: JAAN.sid, quality: 0, score: 1.5 }] } });
    await page.waitForSelector("article.speaking:has-text('Jaan')");
    await page.waitForSelector("article.speaking [aria-label='connection is poor']");
    server.tell({ case: "update", value: { participants: [{ ...JAAN, state: 3, version: 2 }] } });
    await page.waitForSelector("article:has-text('Jaan')", { state: "detached" });
    await page.waitForSelector("[role=status]:text('Jaan left')", { state: "attached" });
    await leave();
  });

  it("chat goes out as a text stream on lk.chat, and comes in as data on topic chat; nothing runs as markup (Q-23)", async () => {
    const { page, server, leave } = await enter();
    await server.say("chat", '{"message":"tere <img src=x onerror=alert(1)>"}').catch(() => {});
    await page.waitForSelector('[data-panel="chat"]');
    await page.click('[data-panel="chat"]');
    await page.fill("textarea", "Kas kõlab?");
    await page.keyboard.press("Enter");
    const headers = () => server.heard.filter((p) => p.value.case === "streamHeader").map((p) => p.value.value);
    await until(() => headers().length === 1);
    assert.equal(headers()[0].topic, "lk.chat");
    await page.waitForSelector("[role=log] :text('Kas kõlab?')");
    await server.say("chat", '{"message":"jah <b>kõlab</b>"}');
    await page.waitForSelector("[role=log] :text('jah <b>kõlab</b>')");
    assert.equal(await page.inputValue("textarea"), "");
    await leave();
  });

  it("somebody without the right to publish is told so, and has no buttons for it", async () => {
    const { page, server, leave } = await enter({ permission: { canSubscribe: true, canPublish: false, canPublishData: true } });
    await page.waitForSelector("[role=alert]:has-text('You are in the audience here')");
    assert.equal(await page.locator('footer [aria-label="Mute microphone"], footer [aria-label="Share screen"]').count(), 0);
    assert.equal(server.published.length, 0);
    await leave();
  });
});

describe("the ways out", () => {
  it("leaving by one's own wish, and going back in", async () => {
    const { page, leave } = await enter();
    await page.click('footer [aria-label="Leave"]');
    await page.waitForSelector("h1:text('You left the room')");
    await page.click("text=Go back in");
    await page.waitForSelector("#name");
    assert.equal(await page.inputValue("#name"), "Mari");
    await leave();
  });

  for (const [reason, words] of [
    [DisconnectReason.DUPLICATE_IDENTITY, "You entered from another window"],
    [DisconnectReason.PARTICIPANT_REMOVED, "You were taken out of the room"],
    [DisconnectReason.ROOM_DELETED, "The room has ended"],
  ]) {
    it(`f_6 «${words}» is said when the server means it`, async () => {
      const { page, server, leave } = await enter();
      server.leave(reason);
      await page.waitForSelector(`h1:text("${words}")`);
      await leave();
    });
  }

  it("a restart of the server is overcome without a hand: a new pass, a new session, the same tracks", async () => {
    const { page, server, leave } = await enter();
    await until(() => server.published.length === 2);
    server.leave(DisconnectReason.SERVER_SHUTDOWN);
    await page.waitForSelector("[role=status]:has-text('Trying again')");
    await until(() => server.joins === 2);
    await page.waitForSelector("[role=status]:has-text('Back again')");
    await until(() => server.published.length === 4, server.log);
    await leave();
  });
});
