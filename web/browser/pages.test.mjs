// F-7 (friendly for everybody: screen reader, keyboard, phone, slow line) and F-6 (no silent fallback), in Chromium.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { DESK, findings, openHouse, PHONE, visit } from "./house.mjs";

/** F-7: what may be loaded before a player is needed, compressed (bytes). */
const FIRST_LOAD_LIMIT = 150_000;

let house;
before(async () => (house = await openHouse()));
after(() => house?.close());

const lettingIn = (status, body = "{}") => (route) => route.fulfill({ status, contentType: "application/json", body });

describe("f_7 every page is sound for axe-core, in both languages, on phone and desk", () => {
  const pages = ["/", "/residence", "/rtc", "/no/such/page"];
  const stages = ["?n=1", "?n=6&panel=chat", "?n=40&panel=people&link=retrying&trouble=deviceBusy&sound=blocked", "?n=4&screen=1&panel=devices"];
  for (const [name, viewport] of [["phone", PHONE], ["desk", DESK]]) {
    for (const locale of ["en-GB", "et-EE"]) {
      for (const path of [...pages.map((p) => ["page", p]), ...stages.map((p) => ["story", p])]) {
        it(`${path[1]} on a ${name} in ${locale}`, async () => {
          const visitor = await visit(house, house[path[0]] + path[1], { viewport, locale, reducedMotion: "reduce" });
          assert.deepEqual(await findings(visitor.page), []);
          assert.equal(await visitor.page.evaluate(() => document.documentElement.lang), locale.slice(0, 2));
          const wider = await visitor.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(wider <= 0, `${wider} px wider than the screen`);
          assert.deepEqual(visitor.complaints, []);
          await visitor.leave();
        });
      }
    }
  }
});

describe("f_7 the first load is small and all our own", () => {
  for (const path of ["/", "/residence"]) {
    it(`${path} loads at most ${FIRST_LOAD_LIMIT} bytes, from nobody else`, async () => {
      const visitor = await visit(house, house.page + path);
      await visitor.page.waitForLoadState("networkidle");
      const sizes = await Promise.all(visitor.requests.map(async (url) => {
        assert.ok(url.startsWith(house.page), `a request to somebody else: ${url}`);
        const body = Buffer.from(await (await fetch(url)).arrayBuffer());
        return /\.woff2$/.test(url) ? body.length : gzipSync(body).length;
      }));
      const total = sizes.reduce((sum, size) => sum + size, 0);
      assert.ok(total > 20_000 && total <= FIRST_LOAD_LIMIT, `${total} bytes`);
      await visitor.leave();
    });
  }
});

describe("f_7 by keyboard alone", () => {
  it("one comes from the entrance to the door", async () => {
    const { page, leave } = await visit(house, house.page);
    for (let i = 0; i < 4; i += 1) await page.keyboard.press("Tab"); // the mark, two languages, the room
    await page.keyboard.type("Kanuti SAAL");
    await page.keyboard.press("Tab");
    await page.keyboard.type("Mari");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/Kanuti%20SAAL");
    assert.equal(await page.textContent("h1"), "Kanuti SAAL");
    assert.equal(await page.inputValue("#name"), "Mari");
    await leave();
  });

  it("Esc closes a panel and the focus goes back to its button", async () => {
    const { page, leave } = await visit(house, `${house.story}?n=3`);
    for (const panel of ["chat", "people", "devices"]) {
      await page.focus(`[data-panel="${panel}"]`);
      await page.keyboard.press("Enter");
      await page.waitForSelector("section");
      await page.keyboard.press("Escape");
      await page.waitForSelector("section", { state: "detached" });
      assert.equal(await page.evaluate(() => document.activeElement.dataset.panel), panel);
    }
    await leave();
  });
});

describe("at the door", () => {
  it("a reserved name is met under /room, and says so (product.md)", async () => {
    const { page, leave } = await visit(house, `${house.page}/rtc`);
    await page.click("button.button");
    await page.waitForURL("**/room/rtc");
    assert.equal(await page.textContent("h1"), "rtc");
    await leave();
  });

  it("camera and microphone run before one goes in, and the meter moves", async () => {
    const { page, leave } = await visit(house, `${house.page}/residence`);
    await page.waitForFunction(() => document.querySelector("video")?.videoWidth > 0);
    await page.waitForFunction(() => Number(document.querySelector('[role="meter"]').getAttribute("aria-valuenow")) > 10);
    assert.match(await page.textContent("form button[type=submit]"), /Enter/);
    await leave();
  });

  it("turning the camera off stops it", async () => {
    const { page, leave } = await visit(house, `${house.page}/residence`);
    await page.waitForFunction(() => document.querySelector("video")?.srcObject !== null);
    const track = await page.evaluateHandle(() => document.querySelector("video").srcObject.getTracks()[0]);
    await page.click('[aria-label="Turn camera off"]');
    await page.waitForFunction((t) => t.readyState === "ended", track);
    await leave();
  });

  it("an invitation is shown to the server as Authorization, and display_name fills the name in", async () => {
    let asked;
    const api = (route) => {
      asked = route.request();
      return lettingIn(404)(route);
    };
    const { page, leave } = await visit(house, `${house.page}/room/secret?display_name=Jaan#token=abc.def`, { api });
    await page.click("form button[type=submit]");
    await page.waitForSelector("text=This invitation doesn't open the door");
    assert.equal(asked.headers()["authorization"], "Bearer abc.def");
    assert.deepEqual(asked.postDataJSON(), { name: "Jaan" });
    await leave();
  });

  for (const [status, words] of [
    [404, "This room is by invitation"],
    [409, "Somebody here already has this name"],
    [429, "Too many tries in a row"],
    [503, "The house is full"],
    [500, "Something broke on our side"],
  ]) {
    it(`f_6 the answer ${status} is said in plain words`, async () => {
      const { page, leave } = await visit(house, `${house.page}/residence`, { api: lettingIn(status) });
      await page.fill("#name", "Mari");
      await page.click("form button[type=submit]");
      await page.waitForSelector(`[role=alert]:has-text("${words}")`);
      await leave();
    });
  }

  it("f_6 a server whose signalling is away is said so, and one can try again", async () => {
    const api = lettingIn(200, '{"token":"t","identity":"p","room":"residence"}');
    const { page, leave } = await visit(house, `${house.page}/residence`, { api });
    await page.route("**/rtc/**", (route) => route.abort());
    await page.fill("#name", "Mari");
    await page.click("form button[type=submit]");
    await page.waitForSelector('[role=alert]:has-text("The house can\'t be reached")', { timeout: 20_000 });
    assert.equal(await page.isEnabled("form button[type=submit]"), true);
    assert.equal(await page.inputValue("#name"), "Mari");
    await leave();
  });
});
