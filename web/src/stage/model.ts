/** What the stage shows, as plain data: the view knows no LiveKit, so that it can be looked at without a server. */

/** Something that can fill a <video>. LiveKit's tracks are such, and so is a drawing in the story page. */
export interface Picture {
  attach(element: HTMLMediaElement): unknown;
  detach(element: HTMLMediaElement): unknown;
}

export type Quality = "excellent" | "good" | "poor" | "lost" | "unknown";

export interface Person {
  identity: string;
  name: string;
  isLocal: boolean;
  speaking: boolean;
  /** Unix ms of the last word heard; 0 for never. */
  lastSpokeAt: number;
  /** Unix ms. */
  joinedAt: number;
  quality: Quality;
  microphoneOn: boolean;
  /** Null: no camera, or it is off. */
  camera: Picture | null;
  screen: Picture | null;
}

export type Link = "connecting" | "connected" | "reconnecting" | "retrying";

/** What one may do here, by the token's grants and by the browser. */
export interface Abilities {
  microphone: boolean;
  camera: boolean;
  screen: boolean;
  chat: boolean;
}

/** One's own side: what is on, and from which devices ("" where nothing runs). */
export interface Mine {
  microphoneOn: boolean;
  cameraOn: boolean;
  screenOn: boolean;
  microphoneId: string;
  cameraId: string;
}
