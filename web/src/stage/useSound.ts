/** Plays everybody else's sound. The elements need no place on the page. */
import { type Room, RoomEvent, Track } from "livekit-client";
import { ref } from "vue";

export function useSound(room: Room) {
  /** The browser waits for a touch before it lets sound out. */
  const blocked = ref(false);

  room.on(RoomEvent.TrackSubscribed, (track) => {
    if (track.kind === Track.Kind.Audio) track.attach();
  });
  room.on(RoomEvent.TrackUnsubscribed, (track) => {
    if (track.kind === Track.Kind.Audio) track.detach();
  });
  room.on(RoomEvent.AudioPlaybackStatusChanged, () => {
    blocked.value = !room.canPlaybackAudio;
  });

  /** Call it from a press of a button. */
  const unblock = () => room.startAudio().catch(() => {});
  return { blocked, unblock };
}
