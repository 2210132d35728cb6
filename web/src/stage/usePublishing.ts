/** One's own microphone, camera and screen in the room. */
import { ConnectionState, LocalAudioTrack, LocalVideoTrack, type Room, Track } from "livekit-client";
import { openChosen, type TakenTracks } from "@/composables/useDevices";
import { keep, recall } from "@/lib/keep";
import { type DeviceKind, type Trouble, troubleOfDevice } from "@/lib/trouble";
import { abilitiesOf } from "./people";

export function usePublishing(room: Room, complain: (trouble: Trouble) => void) {
  const me = () => room.localParticipant;
  /** What one means to have on, also while it is not there: a break may come in the middle of publishing. */
  const wished = { microphone: false, camera: false };

  /** What has been asked of livekit-client and is not answered yet. */
  const underWay = new Set<Promise<unknown>>();

  function watch<T>(work: Promise<T>): Promise<T> {
    const done = () => underWay.delete(work);
    underWay.add(work);
    work.then(done, done);
    return work;
  }

  /** Publishes what was already running at the door: no second question by the browser, no dark moment. */
  function bring(tracks: TakenTracks): Promise<void> {
    return watch(bringAll(tracks));
  }

  async function bringAll(tracks: TakenTracks): Promise<void> {
    const may = abilitiesOf(me());
    wished.microphone = may.microphone && tracks.microphone !== null;
    wished.camera = may.camera && tracks.camera !== null;
    if (!may.microphone) tracks.microphone?.stop();
    else if (tracks.microphone) await bringOne(new LocalAudioTrack(tracks.microphone, undefined, false));
    if (!may.camera) tracks.camera?.stop();
    else if (tracks.camera) await bringOne(new LocalVideoTrack(tracks.camera, undefined, false));
    if (!may.microphone && !may.camera) complain("mayNotPublish");
  }

  async function bringOne(track: LocalAudioTrack | LocalVideoTrack): Promise<void> {
    const isVideo = track.kind === Track.Kind.Video;
    const source = isVideo ? Track.Source.Camera : Track.Source.Microphone;
    try {
      await me().publishTrack(track, { source });
    } catch {
      track.stop();
      // Where the whole connection went, the way back publishes it anew.
      if (room.state === ConnectionState.Connected) complain("publishFault");
    }
  }

  /** After a break that cost the session: the same things as before, from scratch. */
  async function restore(): Promise<void> {
    await dropLeftovers();
    if (wished.microphone) await setMicrophone(true);
    if (wished.camera) await setCamera(true);
  }

  /**
   * A track whose publishing the break interrupted is published for livekit-client, and unknown to the server: turned on
   * «again», it would stay dark for everybody.
   */
  async function dropLeftovers(): Promise<void> {
    await Promise.allSettled(underWay);
    for (const { track } of [...me().trackPublications.values()]) {
      if (track) await me().unpublishTrack(track, true);
    }
  }

  function setMicrophone(on: boolean): Promise<void> {
    wished.microphone = on;
    return attempt("microphone", () => enable("microphone", (device) => me().setMicrophoneEnabled(on, device)));
  }

  function setCamera(on: boolean): Promise<void> {
    wished.camera = on;
    return attempt("camera", () => enable("camera", (device) => me().setCameraEnabled(on, device)));
  }

  function enable<T>(kind: DeviceKind, change: (device: { deviceId?: ConstrainDOMString }) => Promise<T>): Promise<T> {
    return openChosen(recall(kind) ?? "", (deviceId) => change(deviceId === "" ? {} : { deviceId: { exact: deviceId } }));
  }

  async function attempt(kind: DeviceKind, change: () => Promise<unknown>): Promise<void> {
    try {
      await watch(change());
    } catch (error) {
      complain(error instanceof DOMException ? troubleOfDevice(error, kind) : "publishFault");
    }
  }

  /** Changing one's mind in the browser's own dialogue is no trouble. */
  async function setScreen(on: boolean): Promise<void> {
    try {
      await me().setScreenShareEnabled(on, { audio: true });
    } catch (error) {
      const cancelled = error instanceof Error && error.name === "NotAllowedError" && !/system/i.test(error.message);
      if (!cancelled) complain("screenFault");
    }
  }

  async function choose(kind: DeviceKind, deviceId: string): Promise<void> {
    keep(kind, deviceId);
    const media = kind === "camera" ? "videoinput" : "audioinput";
    await attempt(kind, () => room.switchActiveDevice(media, deviceId, true));
  }

  return { bring, restore, setMicrophone, setCamera, setScreen, choose };
}
