/** What people are called. */

/** Longest display name in characters; the server takes 256 bytes, and 64 characters fit in them in any script. */
export const MAX_DISPLAY_NAME = 64;

/** Trims, folds inner spaces and control characters, and cuts to the limit without splitting a character. */
export function cleanDisplayName(raw: string): string {
  const folded = raw.replace(/[\s\u0000-\u001f\u007f]+/g, " ").trim();
  return [...folded].slice(0, MAX_DISPLAY_NAME).join("");
}

/** One or two letters to stand for somebody without a picture. */
export function initials(name: string): string {
  const words = name.split(/[\s._-]+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const picked = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  const letters = picked.map((word) => [...(word ?? "")].find((c) => /[\p{L}\p{N}]/u.test(c)) ?? "");
  return letters.join("").toUpperCase() || "?";
}

/** A steady hue (degrees) for a person, so that the same one looks the same to everybody. */
export function hueOf(identity: string): number {
  let hash = 0x811c9dc5; // FNV-1a, so that neighbours in the alphabet get different hues
  for (const char of identity) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash % 360;
}
