/** The live audience from this page: everybody's small pictures, and one's own once a second if one wishes (E-36). */
import { onScopeDispose, ref, shallowRef } from "vue";
import { PICTURE, readMosaic, sendEvery } from "@/lib/audience";
import type { Pass } from "@/lib/joinApi";

/** How often one who only watches asks (ms). */
const WATCH_EVERY_MS = 2000;
const TIMEOUT_MS = 8000;

export function useAudience(pass: Pass, complain: () => void) {
  const pictures = shallowRef<readonly string[]>([]);
  const sending = ref(false);
  /** Each visit is a camera of its own. */
  const camera = `page-${pass.identity}`;
  let watching = false;
  let stream: MediaStream | null = null;
  let video: HTMLVideoElement | null = null;
  let timer = 0;

  async function start(): Promise<void> {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 320 }, height: { ideal: 240 } } });
      video = Object.assign(document.createElement("video"), { srcObject: stream, muted: true, playsInline: true });
      await video.play();
      sending.value = true;
      again(0);
    } catch {
      stop();
      complain();
    }
  }

  function stop(): void {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = video = null;
    sending.value = false;
  }

  /** Somebody looks at the pictures, or no longer does. */
  function watch(on: boolean): void {
    watching = on;
    if (on) again(0);
  }

  function again(wait: number): void {
    clearTimeout(timer);
    timer = window.setTimeout(() => void turn(), wait);
  }

  async function turn(): Promise<void> {
    const mosaic = sending.value ? await exchange(send) : watching ? await exchange(look) : null;
    if (mosaic !== null) pictures.value = mosaic;
    if (sending.value) again(sendEvery(pictures.value.length));
    else if (watching) again(WATCH_EVERY_MS);
  }

  async function exchange(ask: () => Promise<Response>): Promise<string[] | null> {
    try {
      const response = await ask();
      if (response.ok) return readMosaic(await response.json());
      if (sending.value && (response.status === 403 || response.status === 404)) {
        stop();
        complain();
      }
    } catch {
      // The next one may come through.
    }
    return null;
  }

  function send(): Promise<Response> {
    const body = JSON.stringify({ uuid: camera, feed: pass.room, imgScaled: glance() });
    return fetch("/area51/_upload.php", { method: "POST", body, signal: AbortSignal.timeout(TIMEOUT_MS) });
  }

  function look(): Promise<Response> {
    const headers = { authorization: `Bearer ${pass.token}` };
    return fetch(`/api/rooms/${encodeURIComponent(pass.room)}/audience`, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  }

  function glance(): string {
    const canvas = Object.assign(document.createElement("canvas"), { width: PICTURE.width, height: PICTURE.height });
    if (video !== null) canvas.getContext("2d")?.drawImage(video, 0, 0, PICTURE.width, PICTURE.height);
    return canvas.toDataURL("image/jpeg", PICTURE.quality);
  }

  onScopeDispose(() => {
    clearTimeout(timer);
    watching = false;
    stop();
  });
  return { pictures, sending, watch, set: (on: boolean) => (on ? void start() : stop()) };
}
