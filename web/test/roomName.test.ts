import { describe, expect, it } from "vitest";
import { placeOf } from "@/lib/places";
import { isReserved, MAX_ROOM_NAME_BYTES, roomNameFault, roomPath } from "@/lib/roomName";

describe("a room's name", () => {
  it("may be anything that people write", () => {
    for (const name of ["residence", "Kanuti SAAL", "õhtu-2", "Ода", "劇場", "a.b", "50% off", "x/y"]) {
      expect(roomNameFault(name), name).toBeNull();
    }
  });

  it("is refused when empty, too long in bytes, unprintable, or one of Phoenix's transports", () => {
    expect(roomNameFault("")).toBe("empty");
    expect(roomNameFault("õ".repeat(MAX_ROOM_NAME_BYTES / 2))).toBeNull();
    expect(roomNameFault("õ".repeat(MAX_ROOM_NAME_BYTES / 2 + 1))).toBe("tooLong");
    expect(roomNameFault("a\u0007b")).toBe("control");
    expect(roomNameFault("websocket")).toBe("refused");
    expect(roomNameFault("longpoll")).toBe("refused");
    expect(roomNameFault("..")).toBe("refused");
  });
});

describe("a room's address", () => {
  it("is short where the path is free", () => {
    expect(roomPath("residence")).toBe("/residence");
    expect(roomPath("Kanuti SAAL")).toBe("/Kanuti%20SAAL");
    expect(roomPath("õhtu")).toBe("/%C3%B5htu");
  });

  it.each([
    "rtc", "twirp", "api", "agent", "whip", "whep", "settings", "healthz", "readyz", "metrics", "admin", "live",
    "dash", "socket", "socket.io", "room", "stream", "messages", "assets",
  ])("is under /room where a gateway owns /%s", (name) => {
    expect(isReserved(name)).toBe(true);
    expect(roomPath(name)).toBe(`/room/${name}`);
    expect(placeOf(`/${name}`).kind).toBe("reserved");
    expect(placeOf(`/room/${name}`)).toEqual({ kind: "room", room: name });
  });

  it("is under /room where a name could be taken for a file or another page", () => {
    expect(roomPath("favicon.ico")).toBe("/room/favicon.ico");
    expect(roomPath("x/y")).toBe("/room/x%2Fy");
  });

  it("leads back to the same name", () => {
    for (const name of ["residence", "Kanuti SAAL", "x/y", "50% off", "劇場", "rtc"]) {
      expect(placeOf(roomPath(name)), name).toEqual({ kind: "room", room: name });
    }
  });
});

describe("other addresses", () => {
  it("are the entrance, or nowhere", () => {
    expect(placeOf("/")).toEqual({ kind: "home" });
    expect(placeOf("/a/b")).toEqual({ kind: "nowhere" });
    expect(placeOf("/room/a/b")).toEqual({ kind: "nowhere" });
    expect(placeOf("/%E0%A4%A")).toEqual({ kind: "nowhere" });
    expect(placeOf("/room/websocket")).toEqual({ kind: "nowhere" });
  });
});
