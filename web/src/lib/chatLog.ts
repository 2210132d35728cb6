/** The room's chat: several dialects in, one list out, nothing twice. Pure; time comes in as argument. */

export interface ChatLine {
  id: string;
  /** Identity of the sender, within this page's origin. */
  from: string;
  name: string;
  text: string;
  /** Unix ms at arrival here: other people's clocks are not ours to trust. */
  at: number;
  mine: boolean;
}

/** Longest message (characters): a screenful. Longer ones are cut on arrival and can't be typed. */
export const MAX_CHAT_LENGTH = 2000;

/** Lines kept: an evening's worth, and a bound for a flood. */
export const MAX_CHAT_LINES = 500;

/** One message may come as text stream and as data packet; the second within this time is the same one. */
const ECHO_WINDOW_MS = 3000;

/** Topics of data packets that carry chat: product.md's, and the one that LiveKit's components used before streams. */
export const CHAT_DATA_TOPICS: readonly string[] = ["chat", "lk-chat-topic"];

/** Odeon's topic of data packets that take chat back: what moderators remove, and what the room did not let pass. */
export const CHAT_CHANGE_TOPIC = "odeon.chat";

/** LiveKit's topic of text streams for chat. */
export const CHAT_STREAM_TOPIC = "lk.chat";

type Path = "stream" | "data";

export interface Heard extends Omit<ChatLine, "id"> {
  /** The sender's id for the message, if its dialect has one. */
  id?: string | undefined;
  path: Path;
}

export class ChatLog {
  lines: readonly ChatLine[] = [];
  private paths = new Map<string, Path>();
  private counter = 0;

  /** Adds a line unless it is empty or known; says whether it did. */
  add(heard: Heard): boolean {
    const text = heard.text.slice(0, MAX_CHAT_LENGTH).trim();
    if (text === "" || this.isEcho(heard, text)) return false;
    const id = `${heard.from}/${heard.id ?? `#${(this.counter += 1)}`}`;
    this.paths.set(id, heard.path);
    const line = { id, from: heard.from, name: heard.name, text, at: heard.at, mine: heard.mine };
    this.lines = [...this.lines, line].slice(-MAX_CHAT_LINES);
    if (this.paths.size > MAX_CHAT_LINES) this.forgetOld();
    return true;
  }

  /**
   * The server's log, oldest first: it has the order. What one has heard and the log has not (yet) comes before or after it.
   * Says whether there is anything new.
   */
  addPast(past: readonly Heard[]): boolean {
    const heard = new Map(this.lines.map((line) => [line.id, line]));
    const lines = past.flatMap((entry) => {
      const id = `${entry.from}/${entry.id}`;
      const known = heard.get(id);
      heard.delete(id);
      this.paths.set(id, entry.path);
      const text = entry.text.slice(0, MAX_CHAT_LENGTH).trim();
      return known ?? (text === "" ? [] : { id, from: entry.from, name: entry.name, text, at: entry.at, mine: entry.mine });
    });
    const begins = past[0]?.at ?? 0;
    const others = [...heard.values()];
    const before = others.filter((line) => line.at < begins);
    const after = others.filter((line) => line.at >= begins);
    const isNew = lines.length + others.length !== this.lines.length;
    this.lines = [...before, ...lines, ...after].slice(-MAX_CHAT_LINES);
    return isNew;
  }

  /** Takes out what has this id of its sender's; says whether there was any. */
  remove(id: string): boolean {
    const kept = this.lines.filter((line) => line.id !== `${line.from}/${id}`);
    const removed = kept.length !== this.lines.length;
    this.lines = kept;
    return removed;
  }

  clear(): void {
    this.lines = [];
  }

  private isEcho(heard: Heard, text: string): boolean {
    if (heard.id !== undefined && this.paths.has(`${heard.from}/${heard.id}`)) return true;
    return this.lines.some(
      (line) =>
        line.from === heard.from &&
        line.text === text &&
        heard.at - line.at < ECHO_WINDOW_MS &&
        this.paths.get(line.id) !== heard.path, // somebody who says "yes" twice on one path means it
    );
  }

  private forgetOld(): void {
    const known = new Set(this.lines.map((line) => line.id));
    for (const id of this.paths.keys()) if (!known.has(id)) this.paths.delete(id);
  }
}

export interface DataMessage {
  text: string;
  id?: string | undefined;
  name?: string | undefined;
}

/** Reads a chat data packet: LiveKit's JSON (`{"id","timestamp","message"}`), `{"text"}`, or plain UTF-8. Null: no chat. */
export function readChatData(payload: Uint8Array): DataMessage | null {
  const text = new TextDecoder().decode(payload);
  const json = parsed(text);
  if (typeof json === "string") return { text: json };
  if (typeof json !== "object" || json === null) return { text };
  const fields = json as Record<string, unknown>;
  // The same words also went out as a text stream: the sender says so.
  if (fields["ignoreLegacy"] === true) return null;
  const words = fields["message"] ?? fields["text"];
  if (typeof words !== "string") return null;
  return { text: words, id: stringOr(fields["id"]), name: stringOr(fields["name"]) };
}

function stringOr(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a packet on {@link CHAT_CHANGE_TOPIC} says. */
export type ChatChange = { deleted: string } | { cleared: true } | { refused: string; why: string };

export function readChatChange(payload: Uint8Array): ChatChange | null {
  const json = parsed(new TextDecoder().decode(payload));
  if (typeof json !== "object" || json === null) return null;
  const { deleted, cleared, refused, why } = json as Record<string, unknown>;
  if (typeof deleted === "string") return { deleted };
  if (typeof refused === "string") return { refused, why: typeof why === "string" ? why : "" };
  return cleared === true ? { cleared } : null;
}

/** The room's log as the server has it (`GET /api/rooms/:room/chat`); what is malformed in it is left out. */
export function readPast(body: unknown, me: string): Heard[] {
  return Array.isArray(body) ? body.flatMap((entry: unknown) => pastOf(entry, me)) : [];
}

function pastOf(entry: unknown, me: string): Heard[] {
  if (typeof entry !== "object" || entry === null) return [];
  const { id, at, identity, name, text } = entry as Record<string, unknown>;
  if (typeof id !== "string" || typeof identity !== "string" || typeof text !== "string") return [];
  const shown = typeof name === "string" && name !== "" ? name : identity;
  const when = typeof at === "number" ? at : Date.now();
  return [{ id, from: identity, name: shown, text, at: when, mine: identity === me, path: "stream" }];
}
