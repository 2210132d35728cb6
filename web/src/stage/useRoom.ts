/** One stay in a room: connects, keeps the picture of who is there, finds the way back, says why it ended. */
import {
  ConnectionState,
  DisconnectReason,
  isBrowserSupported,
  LogLevel,
  type Participant,
  Room,
  RoomEvent,
  setLogLevel,
} from "livekit-client";
import { onScopeDispose, ref, shallowRef } from "vue";
import type { TakenTracks } from "@/composables/useDevices";
import { waitBefore } from "@/lib/backoff";
import { type JoinAnswer, type Pass, signalUrl } from "@/lib/joinApi";
import type { Trouble } from "@/lib/trouble";
import { isPassing, troubleOfConnect, troubleOfLeave } from "./leaving";
import type { Abilities, Link, Mine, Person } from "./model";
import { abilitiesOf, mineOf, NOTHING_MINE, peopleIn } from "./people";
import { useChat } from "./useChat";
import { usePublishing } from "./usePublishing";
import { useSound } from "./useSound";

export interface Stay {
  pass: Pass;
  tracks: TakenTracks;
  /** Asks for a new pass: the first one lasts ten minutes at most. */
  renew: () => Promise<JoinAnswer>;
  /** `because` null: by one's own wish. `wasInside`: the room had been reached. */
  onEnd: (because: Trouble | null, wasInside: boolean) => void;
}

// The console is for what somebody can act on; room and identity are nobody's business there.
setLogLevel(LogLevel.warn);

/** Everything that may change who is seen and how. */
const TELLING_EVENTS = [
  RoomEvent.ParticipantConnected,
  RoomEvent.ParticipantDisconnected,
  RoomEvent.TrackPublished,
  RoomEvent.TrackUnpublished,
  RoomEvent.TrackSubscribed,
  RoomEvent.TrackUnsubscribed,
  RoomEvent.TrackMuted,
  RoomEvent.TrackUnmuted,
  RoomEvent.LocalTrackPublished,
  RoomEvent.LocalTrackUnpublished,
  RoomEvent.ActiveSpeakersChanged,
  RoomEvent.ConnectionQualityChanged,
  RoomEvent.ParticipantNameChanged,
  RoomEvent.ParticipantPermissionsChanged,
  RoomEvent.ActiveDeviceChanged,
  RoomEvent.Reconnected,
] as const;

export function useRoom(stay: Stay) {
  const room = new Room({
    adaptiveStream: true,
    dynacast: true,
    videoCaptureDefaults: { resolution: { width: 1280, height: 720, frameRate: 30 } },
  });
  const link = ref<Link>("connecting");
  const people = shallowRef<readonly Person[]>([]);
  const abilities = shallowRef<Abilities>({ microphone: true, camera: true, screen: false, chat: true });
  const mine = shallowRef<Mine>(NOTHING_MINE);
  const trouble = ref<Trouble | null>(null);
  const passerBy = shallowRef<{ name: string; entered: boolean } | null>(null);

  let wasInside = false;
  let over = false;
  let retryTimer = 0;

  const chat = useChat(room, () => (trouble.value = "chatRefused"));
  const sound = useSound(room);
  const publishing = usePublishing(room, (what) => (trouble.value = what));

  function refresh(): void {
    people.value = peopleIn(room);
    abilities.value = abilitiesOf(room.localParticipant);
    mine.value = mineOf(room.localParticipant);
  }
  const refreshSoon = once(() => {
    if (room.state === ConnectionState.Connected) refresh();
  });

  async function enter(pass: Pass): Promise<Trouble | null> {
    if (!isBrowserSupported()) return "oldBrowser";
    try {
      await room.connect(signalUrl(location), pass.token);
      link.value = "connected";
      refresh();
      void chat.fetchPast(pass);
      return null;
    } catch (error) {
      return troubleOfConnect(error);
    }
  }

  async function begin(): Promise<void> {
    const failed = await enter(stay.pass);
    if (over) return stopAll(stay.tracks);
    if (failed !== null) {
      stopAll(stay.tracks);
      return end(failed);
    }
    wasInside = true;
    await publishing.bring(stay.tracks);
  }

  function end(because: Trouble | null): void {
    if (over) return;
    over = true;
    clearTimeout(retryTimer);
    stay.onEnd(because, wasInside);
  }

  function leave(): void {
    end(null);
    void room.disconnect();
  }

  function onDisconnected(reason?: DisconnectReason): void {
    if (over || !wasInside || link.value === "retrying" || reason === DisconnectReason.CLIENT_INITIATED) return;
    const because = troubleOfLeave(reason);
    if (isPassing(because)) knockAgain(0, because);
    else end(because);
  }

  /** livekit-client has given up: begins anew with a new pass, for about two minutes. */
  function knockAgain(attempt: number, because: Trouble): void {
    link.value = "retrying";
    const wait = waitBefore(attempt, Math.random());
    if (wait === null) return end(because);
    retryTimer = window.setTimeout(() => void knock(attempt), wait);
  }

  async function knock(attempt: number): Promise<void> {
    const answer = await stay.renew();
    if (over) return;
    const failed = "trouble" in answer ? answer.trouble : await enter(answer.pass);
    if (over) return;
    if (failed === null) await publishing.restore();
    else if (isPassing(failed)) knockAgain(attempt + 1, failed);
    else end(failed);
  }

  function onPassage(participant: Participant, entered: boolean): void {
    passerBy.value = { name: participant.name?.trim() || participant.identity, entered };
  }

  for (const event of TELLING_EVENTS) room.on(event, refreshSoon);
  room
    .on(RoomEvent.ParticipantConnected, (participant) => onPassage(participant, true))
    .on(RoomEvent.ParticipantDisconnected, (participant) => onPassage(participant, false))
    .on(RoomEvent.SignalReconnecting, () => (link.value = "reconnecting"))
    .on(RoomEvent.Reconnecting, () => (link.value = "reconnecting"))
    .on(RoomEvent.Reconnected, () => (link.value = "connected"))
    .on(RoomEvent.Disconnected, onDisconnected);

  void begin();
  onScopeDispose(() => {
    over = true;
    clearTimeout(retryTimer);
    void room.disconnect();
  });

  return { link, people, abilities, mine, trouble, passerBy, chat, sound, publishing, leave };
}

function stopAll(tracks: TakenTracks): void {
  tracks.microphone?.stop();
  tracks.camera?.stop();
}

/** Many events in one turn make one refresh. */
function once(work: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    queueMicrotask(() => {
      waiting = false;
      work();
    });
  };
}
