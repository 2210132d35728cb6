/** The room's chat over LiveKit: text streams on `lk.chat`, and data packets from those who have no streams. */
import { type Participant, type Room, RoomEvent } from "livekit-client";
import { shallowRef } from "vue";
import {
  CHAT_DATA_TOPICS,
  CHAT_STREAM_TOPIC,
  type ChatLine,
  ChatLog,
  type Heard,
  MAX_CHAT_LENGTH,
  readChatData,
} from "@/lib/chatLog";

export function useChat(room: Room) {
  const log = new ChatLog();
  const lines = shallowRef<readonly ChatLine[]>([]);

  function hear(heard: Heard): void {
    if (log.add(heard)) lines.value = log.lines;
  }

  const nameOf = (identity: string) => room.getParticipantByIdentity(identity)?.name?.trim() || identity;

  room.registerTextStreamHandler(CHAT_STREAM_TOPIC, async (reader, { identity }) => {
    const text = await reader.readAll().catch(() => ""); // the sender left in the middle of a word
    hear({ id: reader.info.id, from: identity, name: nameOf(identity), text, at: Date.now(), mine: false, path: "stream" });
  });

  room.on(RoomEvent.DataReceived, (payload, sender?: Participant, _kind?, topic?: string) => {
    if (topic === undefined || !CHAT_DATA_TOPICS.includes(topic)) return;
    const message = readChatData(payload);
    if (message === null) return;
    // Only what comes without a participant (the server, another gateway) may name itself.
    const name = sender === undefined ? (message.name ?? "") : nameOf(sender.identity);
    hear({ ...message, from: sender?.identity ?? "", name, at: Date.now(), mine: false, path: "data" });
  });

  /** Sends to everybody; throws if it can't. Uncompressed, since gateways pass chat on to clients without inflate. */
  async function send(text: string): Promise<void> {
    const me = room.localParticipant;
    const words = text.slice(0, MAX_CHAT_LENGTH);
    const info = await me.sendText(words, { topic: CHAT_STREAM_TOPIC, compress: false });
    hear({ id: info.id, from: me.identity, name: nameOf(me.identity), text: words, at: Date.now(), mine: true, path: "stream" });
  }

  return { lines, send };
}
