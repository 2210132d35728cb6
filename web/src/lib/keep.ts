/** Small choices kept on this device. Where storage is forbidden (private windows, policies), they are forgotten. */

const PREFIX = "odeon.";

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + key, value);
  } catch {
    // nothing is lost that matters
  }
}
