/** How many people fit on a stage, and how large they can be. All lengths in CSS pixels. */

export interface Grid {
  columns: number;
  rows: number;
  tileWidth: number;
  tileHeight: number;
}

/** Widest shape of a tile (width over height): what cameras give. */
export const WIDEST_TILE = 16 / 9;

/** Narrowest shape on a stage that lies, and on one that stands: phones hold their cameras upright, and so are faces. */
const NARROWEST_LYING = 4 / 3;
const NARROWEST_STANDING = 1;

/** Space between tiles. */
export const TILE_GAP = 12;

/** Below this width a face can't be read. */
const SMALLEST_TILE = 150;

/** More pictures at once than this tire a laptop's decoder more than they help. */
const MOST_TILES = 25;

/** The columns and rows that give `count` tiles the largest area on the stage. */
export function bestGrid(count: number, width: number, height: number): Grid {
  let best: Grid = { columns: 1, rows: Math.max(1, count), tileWidth: 0, tileHeight: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const candidate = gridOf(columns, Math.ceil(count / columns), width, height);
    if (areaOf(candidate) > areaOf(best)) best = candidate;
  }
  return best;
}

function gridOf(columns: number, rows: number, width: number, height: number): Grid {
  const cellWidth = Math.max(0, (width - TILE_GAP * (columns - 1)) / columns);
  const cellHeight = Math.max(0, (height - TILE_GAP * (rows - 1)) / rows);
  const narrowest = width < height ? NARROWEST_STANDING : NARROWEST_LYING;
  const tileWidth = Math.floor(Math.min(cellWidth, cellHeight * WIDEST_TILE));
  const tileHeight = Math.floor(Math.min(cellHeight, tileWidth / narrowest));
  return { columns, rows, tileWidth, tileHeight };
}

function areaOf(grid: Grid): number {
  return grid.tileWidth * grid.tileHeight;
}

/** How many tiles may be shown before faces get too small. At least one. */
export function capacity(width: number, height: number): number {
  let fitting = 1;
  while (fitting < MOST_TILES && bestGrid(fitting + 1, width, height).tileWidth >= SMALLEST_TILE) fitting += 1;
  return fitting;
}
