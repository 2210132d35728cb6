/** What is on, asked of our own server (E-31). */
import { roomNameFault, roomPath } from "./roomName";

const STATUSES = ["now", "soon", "future", "past"] as const;
export type Status = (typeof STATUSES)[number];

/** One event of the programme. */
export interface Show {
  id: string;
  title: string;
  /** When it begins and ends. */
  start: Date;
  end: Date;
  /** Whole days, not hours. */
  allDay: boolean;
  status: Status;
  /** The way in, or null: it is nowhere in the house. */
  path: string | null;
}

/** The programme in the server's order: now and coming first, the past below. */
export interface Programme {
  coming: Show[];
  past: Show[];
  /** The venue's zone, by whose clocks whole days are days. */
  timeZone: string;
}

/** How long the server may take (ms): the entrance works without a programme. */
const TIMEOUT_MS = 10_000;

/** Asks for the programme; null: it could not be had. Never throws. */
export async function askForProgramme(): Promise<Programme | null> {
  try {
    const response = await fetch("/api/schedule", { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return response.ok ? programmeFrom(await response.json()) : null;
  } catch {
    return null;
  }
}

/** Reads the answer; what is no event is left out. */
export function programmeFrom(body: unknown): Programme | null {
  if (typeof body !== "object" || body === null) return null;
  const { events, timeZone } = body as Record<string, unknown>;
  if (!Array.isArray(events)) return null;
  const shows = events.map(showFrom).filter((show) => show !== null);
  return {
    coming: shows.filter((show) => show.status !== "past"),
    past: shows.filter((show) => show.status === "past"),
    timeZone: isTimeZone(timeZone) ? timeZone : "UTC",
  };
}

function showFrom(event: unknown): Show | null {
  if (typeof event !== "object" || event === null) return null;
  const { id, title, start, end, allDay, status, room } = event as Record<string, unknown>;
  const [from, to] = [new Date(String(start)), new Date(String(end))];
  if (typeof id !== "string" || typeof title !== "string" || Number.isNaN(from.getTime() + to.getTime())) return null;
  const known = STATUSES.find((name) => name === status);
  if (known === undefined) return null;
  return { id, title, start: from, end: to, allDay: allDay === true, status: known, path: pathOf(room) };
}

function pathOf(room: unknown): string | null {
  if (typeof room !== "string" || roomNameFault(room) !== null) return null;
  return roomPath(room);
}

function isTimeZone(name: unknown): name is string {
  try {
    return typeof name === "string" && new Intl.DateTimeFormat("en", { timeZone: name }) !== null;
  } catch {
    return false;
  }
}

/** When it is, in words: by the reader's clock, whole days by the venue's (`timeZone`). */
export function when(show: Show, language: string, timeZone: string): string {
  const day = { weekday: "short", day: "numeric", month: "short" } as const;
  if (!show.allDay) {
    const format = new Intl.DateTimeFormat(language, { ...day, hour: "2-digit", minute: "2-digit" });
    return format.formatRange(show.start, show.end);
  }
  // The end of a whole day is the next one's beginning.
  const last = new Date(Math.max(show.start.getTime(), show.end.getTime() - 1));
  return new Intl.DateTimeFormat(language, { ...day, timeZone }).formatRange(show.start, last);
}
