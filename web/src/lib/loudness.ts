/** From samples to a bar that moves as the ear does. */

/** Below this a room's own hum would move the meter (dB full scale). */
const SILENCE_DB = -58;

/** Speech close to a microphone reaches this (dB full scale). */
const FULL_DB = -12;

/** Root mean square of samples in [-1, 1], as 0 … 1 on a decibel scale. */
export function loudness(samples: ArrayLike<number>): number {
  if (samples.length === 0) return 0;
  let sum = 0;
  for (let i = 0; i < samples.length; i += 1) sum += (samples[i] ?? 0) ** 2;
  const db = 10 * Math.log10(sum / samples.length + Number.MIN_VALUE);
  return Math.min(1, Math.max(0, (db - SILENCE_DB) / (FULL_DB - SILENCE_DB)));
}

/** Rises at once and falls slowly, so that a single word can be seen. */
export function settle(previous: number, now: number): number {
  return now > previous ? now : previous * 0.88 + now * 0.12;
}
