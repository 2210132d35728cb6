import { ConnectionError, DisconnectReason } from "livekit-client";
import { describe, expect, it } from "vitest";
import { isPassing, troubleOfConnect, troubleOfLeave } from "@/stage/leaving";

describe("why one is outside again", () => {
  it("is told by the server's reason (L-16, L-27)", () => {
    expect(troubleOfLeave(DisconnectReason.DUPLICATE_IDENTITY)).toBe("elsewhere");
    expect(troubleOfLeave(DisconnectReason.PARTICIPANT_REMOVED)).toBe("removed");
    expect(troubleOfLeave(DisconnectReason.ROOM_DELETED)).toBe("roomEnded");
    expect(troubleOfLeave(DisconnectReason.SERVER_SHUTDOWN)).toBe("closing");
    expect(troubleOfLeave(undefined)).toBe("lost");
  });
  it("makes the page knock again only where nobody meant one to leave", () => {
    expect(isPassing("lost")).toBe(true);
    expect(isPassing("closing")).toBe(true);
    for (const meant of ["elsewhere", "removed", "roomEnded", "badInvitation"] as const) expect(isPassing(meant)).toBe(false);
  });
});

describe("why one didn't get in", () => {
  it("is told by livekit-client's errors", () => {
    expect(troubleOfConnect(ConnectionError.notAllowed("", 401))).toBe("badInvitation");
    expect(troubleOfConnect(ConnectionError.notAllowed("requested room does not exist", 404))).toBe("notOpen");
    expect(troubleOfConnect(ConnectionError.serverUnreachable("away"))).toBe("serverDown");
    expect(troubleOfConnect(ConnectionError.timeout("slow"))).toBe("serverDown");
    expect(troubleOfConnect(ConnectionError.internal("", { status: 503 }))).toBe("full");
    expect(troubleOfConnect(ConnectionError.internal("could not establish pc connection"))).toBe("mediaBlocked");
    expect(troubleOfConnect(ConnectionError.leaveRequest("", DisconnectReason.ROOM_DELETED))).toBe("roomEnded");
    expect(troubleOfConnect(new Error("?"))).toBe("serverFault");
  });
});
