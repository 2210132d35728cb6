// Two people who see each other, one of whom loses the connection.
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, subscribed } from './browser.js';
import { SMALL_CAMERA, gathering } from './meeting.js';

export const PATIENCE_MS = 30_000;
/** Longest wait for a next frame while media flows, on a machine that has other things to do too. */
export const FREEZE_MS = 2_000;

/** Ada publishes in this mode and sees Ben's camera; Ben sees hers. */
export async function pair(world, t, mode, options = {}) {
  const people = gathering(world, t);
  const ada = await people.browser('ada', { mode, ...options });
  const ben = await people.browser('ben');
  await ada.setCamera(true, ...SMALL_CAMERA);
  await ada.setMicrophone(true);
  await ben.setCamera(true, ...SMALL_CAMERA);
  const camera = await subscribed(ben, 'ada', 'camera');
  await flows(ben, 'ada');
  await flows(ada, 'ben');
  await ada.clearLog();
  await ben.clearLog();
  return { ada, ben, camera, people };
}

/** Frames of somebody's camera keep coming, whatever its sid is now. */
export async function flows(venue, identity) {
  await eventually(`frames of ${identity}`, async () => {
    const sid = await subscribed(venue, identity, 'camera');
    const before = (await venue.received(sid)).framesDecoded;
    await delay(500);
    return (await venue.received(sid)).framesDecoded > before + 2;
  }, PATIENCE_MS);
}

export async function reconnected(venue) {
  await eventually('reconnected', async () => (await venue.log()).some(([, event]) => event === 'reconnected'), PATIENCE_MS);
}

/** The longest time without a new frame, in ms. */
export function longestFreeze(series) {
  let [last, frames] = series[0];
  let longest = 0;
  for (const [at, count] of series) {
    longest = Math.max(longest, at - last);
    if (count > frames) [last, frames] = [at, count];
  }
  return longest;
}
