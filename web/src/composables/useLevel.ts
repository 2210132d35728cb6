/** A microphone's loudness, 0 … 1, some 30 times a second while the page is in sight. */
import { onScopeDispose, type Ref, ref, watch } from "vue";
import { loudness, settle } from "@/lib/loudness";

/** Samples for one reading: 43 ms at 48 kHz, a syllable's core. */
const WINDOW = 2048;

/** Follows whatever track the ref holds; 0 while it holds none. */
export function useLevel(track: Readonly<Ref<MediaStreamTrack | null>>): Readonly<Ref<number>> {
  const level = ref(0);
  let stop = () => {};

  watch(
    track,
    (current) => {
      stop();
      level.value = 0;
      stop = current === null ? () => {} : listen(current, (now) => (level.value = settle(level.value, now)));
    },
    { immediate: true },
  );
  onScopeDispose(() => stop());
  return level;
}

function listen(track: MediaStreamTrack, heard: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: WINDOW });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(WINDOW);
  let frame = 0;
  const read = () => {
    analyser.getFloatTimeDomainData(samples);
    heard(loudness(samples));
    frame = requestAnimationFrame(read);
  };
  read();
  // Some browsers start a context suspended until somebody touches the page.
  const wake = () => void context.resume();
  window.addEventListener("pointerdown", wake);
  return () => {
    cancelAnimationFrame(frame);
    window.removeEventListener("pointerdown", wake);
    void context.close();
  };
}
