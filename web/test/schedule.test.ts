import { afterEach, describe, expect, it, vi } from "vitest";
import { askForProgramme, programmeFrom, when } from "@/lib/schedule";

const event = (title: string, status: string, more = {}) => ({
  id: title,
  title,
  start: "2026-11-20T17:00:00Z",
  end: "2026-11-20T19:00:00Z",
  allDay: false,
  status,
  room: "residence",
  ...more,
});
afterEach(() => vi.unstubAllGlobals());

// E-31
describe("the programme", () => {
  it("has what is on and coming first and the past below, in the server's order", () => {
    const events = [event("a", "now"), event("b", "soon"), event("c", "future"), event("z", "past"), event("y", "past")];
    const programme = programmeFrom({ events, timeZone: "Europe/Tallinn" });
    expect(programme?.coming.map((show) => show.title)).toEqual(["a", "b", "c"]);
    expect(programme?.past.map((show) => show.title)).toEqual(["z", "y"]);
  });
  it("leads to the event's room, and nowhere if it has none", () => {
    const events = [event("a", "now"), event("b", "now", { room: null }), event("c", "now", { room: "rtc" })];
    const paths = programmeFrom({ events })?.coming.map((show) => show.path);
    expect(paths).toEqual(["/residence", null, "/room/rtc"]);
  });
  it("leaves out what is no event", () => {
    const events = [null, 1, event("a", "gone"), event("b", "now", { start: "tonight" }), event("c", "now")];
    expect(programmeFrom({ events, timeZone: "Nowhere" })).toMatchObject({ coming: [{ title: "c" }], timeZone: "UTC" });
    expect(programmeFrom([])).toBeNull();
  });
  it("is missing where the server does not give it, and nothing else breaks", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    expect(await askForProgramme()).toBeNull();
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("<html>")));
    expect(await askForProgramme()).toBeNull();
  });
  it("says whole days by the venue's clock", () => {
    const day = { allDay: true, start: "2026-11-19T22:00:00Z", end: "2026-11-20T22:00:00Z" };
    const show = programmeFrom({ events: [event("a", "now", day)] })?.coming[0];
    expect(show && when(show, "en-GB", "Europe/Tallinn")).toMatch(/^Fri,? 20 Nov$/);
  });
});
