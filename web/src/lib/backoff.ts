/** When to knock again after the house was out of reach. */

/** First wait (ms): a restart of the server takes about a second. */
const FIRST_WAIT_MS = 1000;

/** Longest wait (ms): somebody who stares at the page should not wait longer. */
const LONGEST_WAIT_MS = 15_000;

/** Attempts before a person has to press the button: about two minutes. */
export const MAX_ATTEMPTS = 12;

/**
 * The wait before attempt `n` (0, 1, …), or null when it is time to give up. `chance` in [0, 1) spreads a full house's
 * return over half of the wait, so that it does not come through the door at once.
 */
export function waitBefore(n: number, chance: number): number | null {
  if (n >= MAX_ATTEMPTS) return null;
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 1.7 ** n);
  return Math.round(wait * (0.75 + chance / 2));
}
