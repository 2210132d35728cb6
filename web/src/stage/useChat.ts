/**
 * The room's chat over LiveKit: text streams on `lk.chat`, and data packets from those who have no streams. What people of other
 * gateways say comes the same way; what was said before comes from the server's log.
 */
import { type Participant, type Room, RoomEvent } from "livekit-client";
import { shallowRef } from "vue";
import {
  CHAT_CHANGE_TOPIC,
  CHAT_DATA_TOPICS,
  CHAT_STREAM_TOPIC,
  type ChatLine,
  ChatLog,
  type Heard,
  MAX_CHAT_LENGTH,
  readChatChange,
  readChatData,
  readPast,
} from "@/lib/chatLog";
import type { Pass } from "@/lib/joinApi";

/** How long the log may take (ms): without it, the chat begins empty. */
const PAST_TIMEOUT_MS = 8000;

/** `refuse`: the room did not let something pass that one has written, and says why. */
export function useChat(room: Room, refuse: (why: string) => void) {
  const log = new ChatLog();
  const lines = shallowRef<readonly ChatLine[]>([]);

  function hear(heard: Heard): void {
    if (log.add(heard)) lines.value = log.lines;
  }

  const nameOf = (identity: string) => room.getParticipantByIdentity(identity)?.name?.trim() || identity;

  room.registerTextStreamHandler(CHAT_STREAM_TOPIC, async (reader, { identity }) => {
    const text = await reader.readAll().catch(() => ""); // the sender left in the middle of a word
    const { id, attributes } = reader.info;
    // Only who is not in the room (a sketch on the bus that has not joined it) may name itself.
    const isHere = room.getParticipantByIdentity(identity) !== undefined;
    const name = isHere ? nameOf(identity) : attributes?.["name"]?.trim() || identity;
    hear({ id, from: identity, name, text, at: Date.now(), mine: identity === room.localParticipant.identity, path: "stream" });
  });

  room.on(RoomEvent.DataReceived, (payload, sender?: Participant, _kind?, topic?: string) => {
    // What takes chat back comes from the server alone, which is no participant.
    if (topic === CHAT_CHANGE_TOPIC && sender === undefined) return change(payload);
    if (topic === undefined || !CHAT_DATA_TOPICS.includes(topic)) return;
    const message = readChatData(payload);
    if (message === null) return;
    // Only what comes without a participant (the server, another gateway) may name itself.
    const name = sender === undefined ? (message.name ?? "") : nameOf(sender.identity);
    hear({ ...message, from: sender?.identity ?? "", name, at: Date.now(), mine: false, path: "data" });
  });

  function change(payload: Uint8Array): void {
    const change = readChatChange(payload);
    if (change === null) return;
    if ("cleared" in change) log.clear();
    else log.remove("deleted" in change ? change.deleted : change.refused);
    lines.value = log.lines;
    if ("refused" in change) refuse(change.why);
  }

  /** Asks for what was said before; after a break, for what was said meanwhile. */
  async function fetchPast(pass: Pass): Promise<void> {
    try {
      const response = await fetch(`/api/rooms/${encodeURIComponent(pass.room)}/chat`, {
        headers: { authorization: `Bearer ${pass.token}` },
        signal: AbortSignal.timeout(PAST_TIMEOUT_MS),
      });
      if (response.ok && log.addPast(readPast(await response.json(), pass.identity))) lines.value = log.lines;
    } catch {
      // The chat goes on without its past.
    }
  }

  /** Sends to everybody; throws if it can't. Uncompressed, since gateways pass chat on to clients without inflate. */
  async function send(text: string): Promise<void> {
    const me = room.localParticipant;
    const words = text.slice(0, MAX_CHAT_LENGTH);
    const info = await me.sendText(words, { topic: CHAT_STREAM_TOPIC, compress: false });
    hear({ id: info.id, from: me.identity, name: nameOf(me.identity), text: words, at: Date.now(), mine: true, path: "stream" });
  }

  return { lines, send, fetchPast };
}
