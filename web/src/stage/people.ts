/** From LiveKit's participants to what the stage shows. */
import { type LocalParticipant, type Participant, type Room, Track } from "livekit-client";
import type { Abilities, Mine, Person, Picture, Quality } from "./model";

/** Everybody in the room, oneself included. */
export function peopleIn(room: Room): Person[] {
  return [room.localParticipant, ...room.remoteParticipants.values()].map(personOf);
}

function personOf(participant: Participant): Person {
  return {
    identity: participant.identity,
    name: participant.name?.trim() || participant.identity,
    isLocal: participant.isLocal,
    speaking: participant.isSpeaking,
    lastSpokeAt: participant.lastSpokeAt?.getTime() ?? 0,
    joinedAt: participant.joinedAt?.getTime() ?? 0,
    quality: participant.connectionQuality as Quality,
    microphoneOn: participant.isMicrophoneEnabled,
    camera: pictureOf(participant, Track.Source.Camera),
    screen: pictureOf(participant, Track.Source.ScreenShare),
  };
}

function pictureOf(participant: Participant, source: Track.Source): Picture | null {
  const publication = participant.getTrackPublication(source);
  if (publication === undefined || publication.isMuted) return null;
  return publication.track ?? null;
}

/** What the grants and this browser allow (`canPublishSources` empty: all). */
export function abilitiesOf(participant: LocalParticipant): Abilities {
  const grants = participant.permissions;
  const may = (source: Track.Source) =>
    (grants?.canPublish ?? true) &&
    (!grants?.canPublishSources.length || grants.canPublishSources.includes(Track.sourceToProto(source)));
  return {
    microphone: may(Track.Source.Microphone),
    camera: may(Track.Source.Camera),
    screen: may(Track.Source.ScreenShare) && typeof navigator.mediaDevices?.getDisplayMedia === "function",
    chat: grants?.canPublishData ?? true,
  };
}

/** One's own microphone, camera and screen. */
export function mineOf(participant: LocalParticipant): Mine {
  const deviceOf = (source: Track.Source) =>
    participant.getTrackPublication(source)?.track?.mediaStreamTrack.getSettings().deviceId ?? "";
  return {
    microphoneOn: participant.isMicrophoneEnabled,
    cameraOn: participant.isCameraEnabled,
    screenOn: participant.isScreenShareEnabled,
    microphoneId: deviceOf(Track.Source.Microphone),
    cameraId: deviceOf(Track.Source.Camera),
  };
}

/** Nothing of one's own yet. */
export const NOTHING_MINE: Mine = { microphoneOn: false, cameraOn: false, screenOn: false, microphoneId: "", cameraId: "" };
