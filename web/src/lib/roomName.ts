/** What a room may be called, and where its page lives (product.md, «One name, every gateway»). */

/** Longest name in bytes of UTF-8: the server's limit for room names (LiveKit's, 256). */
export const MAX_ROOM_NAME_BYTES = 256;

/** Paths that a gateway or the house itself owns: a room of that name has its page under /room/NAME only. */
const OWNED_PATHS = new Set([
  "rtc",
  "twirp",
  "api",
  "agent",
  "whip",
  "whep",
  "settings",
  "healthz",
  "readyz",
  "metrics",
  "admin",
  "live",
  "dash",
  "socket",
  "socket.io",
  "room",
  "stream",
  "messages",
  "healthcheck",
  "assets",
  "app",
]);

/** Phoenix's transports end in the first two under /room; browsers fold the dots away. No room can be called so. */
const REFUSED_NAMES = new Set(["websocket", "longpoll", ".", ".."]);

export type RoomNameFault = "empty" | "tooLong" | "refused" | "control";

/** Whether the name's short address, /NAME, belongs to somebody else. */
export function isReserved(name: string): boolean {
  return OWNED_PATHS.has(name.toLowerCase());
}

/** What is wrong with a room's name, or null. Give it the trimmed name. */
export function roomNameFault(name: string): RoomNameFault | null {
  if (name === "") return "empty";
  if (REFUSED_NAMES.has(name)) return "refused";
  if (/[\u0000-\u001f\u007f]/.test(name)) return "control";
  if (new TextEncoder().encode(name).length > MAX_ROOM_NAME_BYTES) return "tooLong";
  return null;
}

/** The address of a room's page: the short one where the name allows it. */
export function roomPath(name: string): string {
  // A dot could be taken for a file, a slash for another page, a leading underscore or @ for a tool's own path.
  const short = !isReserved(name) && /^[\p{L}\p{N}][\p{L}\p{N} _-]*$/u.test(name);
  return `${short ? "" : "/room"}/${encodeURIComponent(name)}`;
}
