/** Which page an address means. */
import { isReserved, roomNameFault } from "./roomName";

export type Place =
  | { kind: "home" }
  | { kind: "room"; room: string }
  /** /:room/statistics, or /room/:room/statistics. */
  | { kind: "statistics"; room: string }
  /** /rtc and the like: a room of that name is met at /room/rtc. */
  | { kind: "reserved"; room: string }
  | { kind: "nowhere" };

/** Reads a percent-encoded path. Anything that is no page of ours is "nowhere". */
export function placeOf(pathname: string): Place {
  const parts = pathname.split("/").filter((part) => part !== "");
  if (parts.length === 0) return { kind: "home" };
  if (parts.length > 1 && parts.at(-1) === "statistics" && !(parts[0] === "room" && parts.length === 2)) {
    const room = placeOf(parts.slice(0, -1).join("/"));
    return room.kind === "room" ? { kind: "statistics", room: room.room } : { kind: "nowhere" };
  }
  const explicit = parts[0] === "room" && parts.length === 2;
  if (!explicit && parts.length !== 1) return { kind: "nowhere" };
  const room = decoded(parts[explicit ? 1 : 0] ?? "");
  if (room === null || roomNameFault(room) !== null) return { kind: "nowhere" };
  return { kind: !explicit && isReserved(room) ? "reserved" : "room", room };
}

function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part).trim();
  } catch {
    return null; // a stray % sign
  }
}
