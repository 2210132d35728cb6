import { afterEach, describe, expect, it, vi } from "vitest";
import { askForPass, invitationIn, signalUrl } from "@/lib/joinApi";

const answer = (status: number, body: string) => vi.fn(() => Promise.resolve(new Response(body, { status })));
afterEach(() => vi.unstubAllGlobals());

describe("asking to be let in", () => {
  it("posts the name to the room's door and brings the pass back", async () => {
    const fetch = answer(200, '{"token":"t","identity":"p_1","room":"x/y"}');
    vi.stubGlobal("fetch", fetch);
    expect(await askForPass("x/y", "Mari", null)).toEqual({ pass: { token: "t", identity: "p_1", room: "x/y" } });
    const [url, init] = fetch.mock.calls[0] as unknown as [string, RequestInit];
    expect(url).toBe("/api/rooms/x%2Fy/join");
    expect(init.body).toBe('{"name":"Mari"}');
    expect(init.headers).not.toHaveProperty("authorization");
  });
  it("shows the invitation", async () => {
    const fetch = answer(404, "");
    vi.stubGlobal("fetch", fetch);
    expect(await askForPass("r", "Mari", "abc")).toEqual({ trouble: "badInvitation" });
    const [, init] = fetch.mock.calls[0] as unknown as [string, RequestInit];
    expect(init.headers).toHaveProperty("authorization", "Bearer abc");
  });
  it("tells a server that is away from one that talks nonsense", async () => {
    vi.stubGlobal("fetch", vi.fn(() => Promise.reject(new TypeError("Failed to fetch"))));
    expect(await askForPass("r", "Mari", null)).toEqual({ trouble: "serverDown" });
    vi.stubGlobal("fetch", answer(200, "<html>"));
    expect(await askForPass("r", "Mari", null)).toEqual({ trouble: "serverFault" });
    vi.stubGlobal("fetch", answer(200, '{"token":1}'));
    expect(await askForPass("r", "Mari", null)).toEqual({ trouble: "serverFault" });
  });
});

describe("a link", () => {
  it("carries its invitation in the fragment", () => {
    expect(invitationIn("#token=abc.def-g")).toBe("abc.def-g");
    expect(invitationIn("#token=")).toBeNull();
    expect(invitationIn("")).toBeNull();
  });
  it("leads to the signalling of the same house", () => {
    expect(signalUrl({ protocol: "https:", host: "a.example" })).toBe("wss://a.example");
    expect(signalUrl({ protocol: "http:", host: "localhost:7880" })).toBe("ws://localhost:7880");
  });
});
