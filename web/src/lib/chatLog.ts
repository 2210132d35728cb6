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
