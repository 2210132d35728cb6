/** The page token: who may enter, asked of our own server (product.md, «Page token»). */
import { type Trouble, troubleOfStatus } from "./trouble";

/** What lets the bearer into one room, for ten minutes at most. */
export interface Pass {
  token: string;
  identity: string;
  room: string;
}

export type JoinAnswer = { pass: Pass } | { trouble: Trouble };

/** How long the server may take (ms); a page that hangs without a word is worse than one that says so. */
const JOIN_TIMEOUT_MS = 15_000;

/** Asks for a pass. Never throws: what went wrong comes back as a Trouble. */
export async function askForPass(room: string, name: string, invitation: string | null): Promise<JoinAnswer> {
  const invited = invitation !== null;
  try {
    const response = await fetch(`/api/rooms/${encodeURIComponent(room)}/join`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(invited ? { authorization: `Bearer ${invitation}` } : {}),
      },
      body: JSON.stringify({ name }),
      signal: AbortSignal.timeout(JOIN_TIMEOUT_MS),
    });
    if (!response.ok) return { trouble: troubleOfStatus(response.status, invited) };
    const pass = passFrom(await response.json());
    return pass === null ? { trouble: "serverFault" } : { pass };
  } catch (error) {
    return { trouble: error instanceof SyntaxError ? "serverFault" : "serverDown" };
  }
}

function passFrom(body: unknown): Pass | null {
  if (typeof body !== "object" || body === null) return null;
  const { token, identity, room } = body as Record<string, unknown>;
  if (typeof token !== "string" || typeof identity !== "string" || typeof room !== "string") return null;
  return { token, identity, room };
}

/** The invitation in a link's fragment (`/residence#token=…`), or null. Fragments never reach a server's log. */
export function invitationIn(hash: string): string | null {
  const token = new URLSearchParams(hash.replace(/^#/, "")).get("token");
  return token === null || token.trim() === "" ? null : token.trim();
}

/** Where LiveKit's signalling is: the house that this page came from. */
export function signalUrl(page: { protocol: string; host: string }): string {
  return `${page.protocol === "https:" ? "wss" : "ws"}://${page.host}`;
}
