/** Camera and microphone before the room: what there is, what is chosen, and the running preview of both. */
import { onScopeDispose, reactive, ref, shallowRef } from "vue";
import { keep, recall } from "@/lib/keep";
import { type DeviceKind, type Trouble, troubleOfDevice } from "@/lib/trouble";

export interface DeviceOption {
  id: string;
  /** As the system calls it; empty until the browser has permission. */
  label: string;
}

/** One of the two inputs. */
export interface Input {
  kind: DeviceKind;
  wanted: boolean;
  deviceId: string;
  track: MediaStreamTrack | null;
  trouble: Trouble | null;
}

/** Tracks that leave for the room; whoever takes them stops them. */
export interface TakenTracks {
  microphone: MediaStreamTrack | null;
  camera: MediaStreamTrack | null;
}

export type Devices = ReturnType<typeof useDevices>;

export function useDevices() {
  const microphone = newInput("microphone");
  const camera = newInput("camera");
  const asking = ref(false);
  const list = useDeviceList();

  /** Asks for what is wanted, both in one question where the browser can. */
  async function start(): Promise<void> {
    if (asking.value) return;
    asking.value = true;
    if (microphone.wanted && camera.wanted) await openBoth(microphone, camera);
    await Promise.all([openIfNeeded(microphone), openIfNeeded(camera)]);
    await list.list(); // permission gives the devices their names
    asking.value = false;
  }

  /** Devices that are being changed. The first question, which somebody may leave unanswered, is not among them. */
  let changing: Promise<unknown> = Promise.resolve();

  /** Whoever enters right after choosing another camera enters with that camera. */
  const settled = () => changing;

  function reopen(input: Input): Promise<void> {
    const opened = openIfNeeded(input);
    changing = Promise.allSettled([changing, opened]);
    return opened;
  }

  async function toggle(input: Input): Promise<void> {
    input.wanted = !input.wanted;
    if (input.wanted) await reopen(input);
    else close(input);
    await list.list(); // permission gives the devices their names
  }

  async function choose(input: Input, deviceId: string): Promise<void> {
    input.deviceId = deviceId;
    input.wanted = true;
    keep(input.kind, deviceId);
    close(input);
    await reopen(input);
  }

  /** Gives the running tracks away and forgets them. */
  function take(): TakenTracks {
    const taken = { microphone: microphone.track, camera: camera.track };
    microphone.track = camera.track = null;
    return taken;
  }

  function stop(): void {
    close(microphone);
    close(camera);
  }

  onScopeDispose(stop);
  return { microphone, camera, microphones: list.microphones, cameras: list.cameras, asking, start, toggle, choose, settled, take };
}

/** What is plugged in, kept up to date: for choosing inside the room. */
export function useDeviceList() {
  const microphones = shallowRef<DeviceOption[]>([]);
  const cameras = shallowRef<DeviceOption[]>([]);

  async function list(): Promise<void> {
    const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
    microphones.value = optionsOf(all, "audioinput");
    cameras.value = optionsOf(all, "videoinput");
  }

  const onPlugged = () => void list();
  onPlugged();
  navigator.mediaDevices?.addEventListener("devicechange", onPlugged);
  onScopeDispose(() => navigator.mediaDevices?.removeEventListener("devicechange", onPlugged));
  return { microphones, cameras, list };
}

function newInput(kind: DeviceKind): Input {
  return reactive({ kind, wanted: true, deviceId: recall(kind) ?? "", track: null, trouble: null });
}

/** One question for both; if it fails, each is asked alone, which tells the two apart. */
async function openBoth(microphone: Input, camera: Input): Promise<void> {
  if (navigator.mediaDevices === undefined) return;
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: constraintsOf(microphone),
      video: constraintsOf(camera),
    });
    adopt(microphone, stream.getAudioTracks()[0]);
    adopt(camera, stream.getVideoTracks()[0]);
  } catch {
    // told by the single attempts that follow
  }
}

async function openIfNeeded(input: Input): Promise<void> {
  if (!input.wanted || input.track !== null) return;
  if (navigator.mediaDevices === undefined) {
    input.trouble = window.isSecureContext ? "oldBrowser" : "insecure";
    return;
  }
  try {
    const stream = await openChosen(input.deviceId, (deviceId) => {
      const constraints = constraintsOf({ kind: input.kind, deviceId });
      return navigator.mediaDevices.getUserMedia(input.kind === "camera" ? { video: constraints } : { audio: constraints });
    });
    adopt(input, stream.getTracks()[0]);
  } catch (error) {
    input.trouble = troubleOfDevice(error, input.kind);
  }
}

function adopt(input: Input, track: MediaStreamTrack | undefined): void {
  if (track === undefined) return;
  if (!input.wanted) return track.stop(); // turned off while the browser was asking
  input.trouble = null;
  input.track = track;
  input.deviceId = track.getSettings().deviceId ?? input.deviceId;
  track.addEventListener("ended", () => {
    if (input.track !== track) return;
    input.track = null;
    input.trouble = input.kind === "camera" ? "noCamera" : "noMicrophone";
  });
}

function close(input: Input): void {
  input.track?.stop();
  input.track = null;
  input.trouble = null;
}

/**
 * The chosen device and no other: with `ideal`, a browser prefers another camera that has more pixels to a chosen one that has
 * fewer. Who left a device at home falls back to any, in `open`.
 */
function constraintsOf(input: Pick<Input, "kind" | "deviceId">): MediaTrackConstraints {
  const device = input.deviceId === "" ? {} : { deviceId: { exact: input.deviceId } };
  return input.kind === "camera"
    ? { ...device, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } }
    : { ...device, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
}

/** What is chosen; if that isn't there, what is. */
export async function openChosen<T>(chosen: string, open: (deviceId: string) => Promise<T>): Promise<T> {
  try {
    return await open(chosen);
  } catch (error) {
    const isAbsent = ["OverconstrainedError", "NotFoundError"].includes((error as { name?: string } | null)?.name ?? "");
    if (chosen === "" || !isAbsent) throw error;
    return open("");
  }
}

function optionsOf(all: readonly MediaDeviceInfo[], kind: MediaDeviceKind): DeviceOption[] {
  return all
    .filter((device) => device.kind === kind && device.deviceId !== "")
    .map((device) => ({ id: device.deviceId, label: device.label }));
}
