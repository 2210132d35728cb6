// E-31: the schedule at the entrance, in Chromium. Q-23: what others write into their calendars is text.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { DESK, findings, openHouse, PHONE, visit } from "./house.mjs";

let house;
before(async () => (house = await openHouse()));
after(() => house?.close());

const event = (title, status, more = {}) => ({
  id: title, title, status, room: "residence", allDay: false, start: "2026-11-20T17:00:00Z", end: "2026-11-20T19:00:00Z", ...more,
});
const EVENTS = [
  event("Wolves <img src=x onerror=alert(1)>", "now"), event("Bears", "soon"), event("Foxes", "future", { room: null }), event("Owls", "past"),
];
const api = (route) => route.fulfill({ json: { events: EVENTS, timeZone: "Europe/Tallinn" } });

describe("e_31 the entrance", () => {
  for (const [name, viewport] of [["phone", PHONE], ["desk", DESK]]) {
    it(`shows on a ${name} what is on and coming, now marked, and the past below`, async () => {
      const { page, complaints, leave } = await visit(house, house.page, { viewport, api, reducedMotion: "reduce" });
      await page.waitForSelector(".programme");
      assert.deepEqual(await page.locator(".coming .title").allTextContents(), EVENTS.slice(0, 3).map((e) => e.title));
      assert.deepEqual(await page.locator(".past .title").allTextContents(), ["Owls"]);
      assert.equal((await page.locator(".now .mark").textContent()).trim(), "On now");
      assert.equal(await page.locator(".programme .mark").count(), 2);
      assert.deepEqual(await findings(page), []);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
      await page.locator("a.show").first().click();
      await page.waitForURL("**/residence");
      assert.deepEqual(complaints, []);
      await leave();
    });
  }

  it("has no empty programme, and opens where the server gives none", async () => {
    const { page, leave } = await visit(house, house.page, { api: (route) => route.fulfill({ status: 503, body: "" }) });
    await page.waitForLoadState("networkidle");
    assert.equal(await page.locator(".programme").count(), 0);
    assert.equal(await page.locator("#room").count(), 1);
    await leave();
  });
});
