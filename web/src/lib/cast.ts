/** Who is on the visible stage when not everybody fits. */

export interface Castable {
  identity: string;
  isLocal: boolean;
  /** Unix ms of the last word heard; 0 for never. */
  lastSpokeAt: number;
  hasPicture: boolean;
  /** Unix ms. */
  joinedAt: number;
}

export interface Cast<T> {
  shown: T[];
  hidden: T[];
}

/**
 * Chooses by what people come to see (voice first, then picture), but keeps the order of entrance on the stage: tiles
 * that jump about at each word are worse than one that is not in its ideal place. Oneself is always shown.
 */
export function castFor<T extends Castable>(people: readonly T[], places: number): Cast<T> {
  const byImportance = [...people].sort(moreImportantFirst);
  const chosen = new Set(byImportance.slice(0, Math.max(1, places)));
  const inOrder = [...people].sort(earlierFirst);
  return {
    shown: inOrder.filter((person) => chosen.has(person)),
    hidden: inOrder.filter((person) => !chosen.has(person)),
  };
}

function moreImportantFirst(a: Castable, b: Castable): number {
  return (
    Number(b.isLocal) - Number(a.isLocal) ||
    b.lastSpokeAt - a.lastSpokeAt ||
    Number(b.hasPicture) - Number(a.hasPicture) ||
    earlierFirst(a, b)
  );
}

function earlierFirst(a: Castable, b: Castable): number {
  return a.joinedAt - b.joinedAt || (a.identity < b.identity ? -1 : 1);
}
