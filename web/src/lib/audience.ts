/** The live audience's pictures (E-36) and its statistics (E-37), as the server tells them. Pure. */

/** What is sent, px: so small that hundreds fit a screen and a second. */
export const PICTURE = { width: 150, height: 120, quality: 0.6 } as const;

/** The more cameras there are, the seldomer each sends (ms): one a second for up to ten. */
export function sendEvery(cameras: number): number {
  return Math.round(1000 * Math.min(Math.max(cameras / 10, 1), 20));
}

/** Columns of a grid that is about as wide as high. */
export function columnsFor(pictures: number): number {
  return Math.max(1, Math.ceil(Math.sqrt(pictures)));
}

/** `{"images":[{"imgData":"data:image/…"}]}`; what is no picture is left out. */
export function readMosaic(body: unknown): string[] {
  const images = typeof body === "object" && body !== null ? (body as { images?: unknown }).images : undefined;
  if (!Array.isArray(images)) return [];
  return images.flatMap((image: unknown) => {
    const data = typeof image === "object" && image !== null ? (image as { imgData?: unknown }).imgData : undefined;
    return typeof data === "string" && /^data:image\/(jpeg|jpg|png|webp);base64,[A-Za-z0-9+/=\s]+$/.test(data) ? [data] : [];
  });
}

export interface Point {
  at: number;
  people: number;
  brightness: number;
  motion: number | null;
}

/** `{"intervalMs","points":[…]}`. */
export function readPoints(body: unknown): Point[] {
  const points = typeof body === "object" && body !== null ? (body as { points?: unknown }).points : undefined;
  if (!Array.isArray(points)) return [];
  return points.flatMap((point: unknown) => {
    if (typeof point !== "object" || point === null) return [];
    const { at, people, brightness, motion } = point as Record<string, unknown>;
    if (typeof at !== "number" || typeof people !== "number" || typeof brightness !== "number") return [];
    return [{ at, people, brightness, motion: typeof motion === "number" ? motion : null }];
  });
}

/** Points of an SVG polyline in a box of this size: time to the right, `most` at the top; gaps are left out. */
export function lineOf(points: readonly Point[], value: (point: Point) => number | null, most: number, width: number, height: number): string {
  const from = points[0]?.at ?? 0;
  const span = Math.max((points.at(-1)?.at ?? 0) - from, 1);
  return points
    .flatMap((point) => {
      const up = value(point);
      if (up === null) return [];
      const y = height - (Math.min(up, most) / Math.max(most, 1e-9)) * height;
      return [`${(((point.at - from) / span) * width).toFixed(1)},${y.toFixed(1)}`];
    })
    .join(" ");
}
