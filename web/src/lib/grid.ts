/** How many people fit on a stage, and how large they can be. All lengths in CSS pixels. */

export interface Grid {
  columns: number;
  rows: number;
  tileWidth: number;
  tileHeight: number;
}

/** Width over height of a tile: what cameras give. */
export const TILE_ASPECT = 16 / 9;

/** Space between tiles. */
export const TILE_GAP = 12;

/** Below this width a face can't be read. */
const SMALLEST_TILE = 150;

/** More pictures at once than this tire a laptop's decoder more than they help. */
const MOST_TILES = 25;

/** The columns and rows that give `count` tiles the largest size within the area. */
export function bestGrid(count: number, width: number, height: number): Grid {
  let best: Grid = { columns: 1, rows: Math.max(1, count), tileWidth: 0, tileHeight: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const candidate = gridOf(columns, Math.ceil(count / columns), width, height);
    if (candidate.tileWidth > best.tileWidth) best = candidate;
  }
  return best;
}

function gridOf(columns: number, rows: number, width: number, height: number): Grid {
  const widest = (width - TILE_GAP * (columns - 1)) / columns;
  const tallest = (height - TILE_GAP * (rows - 1)) / rows;
  const tileWidth = Math.max(0, Math.floor(Math.min(widest, tallest * TILE_ASPECT)));
  return { columns, rows, tileWidth, tileHeight: Math.floor(tileWidth / TILE_ASPECT) };
}

/** How many tiles may be shown before faces get too small. At least one. */
export function capacity(width: number, height: number): number {
  let fitting = 1;
  while (fitting < MOST_TILES && bestGrid(fitting + 1, width, height).tileWidth >= SMALLEST_TILE) fitting += 1;
  return fitting;
}
