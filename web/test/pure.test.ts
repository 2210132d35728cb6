import { describe, expect, it } from "vitest";
import { MAX_ATTEMPTS, waitBefore } from "@/lib/backoff";
import { castFor } from "@/lib/cast";
import { cleanDisplayName, hueOf, initials, MAX_DISPLAY_NAME } from "@/lib/displayName";
import { bestGrid, capacity, TILE_GAP, WIDEST_TILE } from "@/lib/grid";
import { loudness, settle } from "@/lib/loudness";
import { nameFor } from "@/lib/randomName";

describe("a name for whoever has none (E-40)", () => {
  it("is an adjective and an animal, whatever is drawn", () => {
    for (const share of [0, 0.3, 0.5, 0.999999]) expect(nameFor(share, 1 - share - 1e-9)).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+$/);
    const all = new Set(Array.from({ length: 500 }, () => nameFor(Math.random(), Math.random())));
    expect(all.size).toBeGreaterThan(200);
  });
});

describe("a display name", () => {
  it("loses outer space, folds inner space and line breaks", () => {
    expect(cleanDisplayName("  Mari \n\t Maasikas ")).toBe("Mari Maasikas");
  });
  it("is cut without splitting a character", () => {
    expect([...cleanDisplayName("🎭".repeat(100))]).toHaveLength(MAX_DISPLAY_NAME);
  });
  it("gives initials in any script, and a question mark for none", () => {
    expect(initials("Mari Maasikas")).toBe("MM");
    expect(initials("õie")).toBe("Õ");
    expect(initials("Ann-Liis van der Kask")).toBe("AK");
    expect(initials("劇場")).toBe("劇");
    expect(initials("🎭")).toBe("?");
  });
  it("gives the same hue for the same identity, within the circle", () => {
    expect(hueOf("p_abc")).toBe(hueOf("p_abc"));
    for (const id of ["", "a", "p_1", "p_2"]) expect(hueOf(id)).toBeLessThan(360);
  });
});

describe("the grid", () => {
  it("is one tile for one person, side by side on a wide stage, stacked on a phone", () => {
    expect(bestGrid(1, 1200, 700)).toMatchObject({ columns: 1, rows: 1 });
    expect(bestGrid(2, 1200, 500)).toMatchObject({ columns: 2, rows: 1 });
    expect(bestGrid(2, 360, 600)).toMatchObject({ columns: 1, rows: 2 });
    expect(bestGrid(9, 1600, 900)).toMatchObject({ columns: 3, rows: 3 });
  });
  it("makes upright tiles on a phone instead of leaving its sides empty", () => {
    expect(bestGrid(1, 366, 600)).toMatchObject({ tileWidth: 366, tileHeight: 366 });
    expect(bestGrid(6, 366, 600)).toMatchObject({ columns: 2, rows: 3 });
  });
  it("never overflows its area, nor gets wider than cameras or narrower than faces", () => {
    for (let count = 1; count <= 30; count += 1) {
      for (const [width, height] of [[360, 560], [1440, 700], [800, 200]] as const) {
        const grid = bestGrid(count, width, height);
        expect(grid.columns * grid.rows).toBeGreaterThanOrEqual(count);
        expect(grid.columns * grid.tileWidth + (grid.columns - 1) * TILE_GAP).toBeLessThanOrEqual(width);
        expect(grid.rows * grid.tileHeight + (grid.rows - 1) * TILE_GAP).toBeLessThanOrEqual(height);
        expect(grid.tileHeight).toBeGreaterThanOrEqual(Math.floor(grid.tileWidth / WIDEST_TILE));
        expect(grid.tileHeight).toBeLessThanOrEqual(grid.tileWidth);
      }
    }
  });
  it("holds fewer people on a phone than on a desk, and always one", () => {
    expect(capacity(328, 560)).toBeLessThan(capacity(1400, 760));
    expect(capacity(0, 0)).toBe(1);
  });
});

describe("who is shown when not everybody fits", () => {
  const person = (identity: string, joinedAt: number, more = {}) => ({
    identity, joinedAt, isLocal: false, lastSpokeAt: 0, hasPicture: false, ...more,
  });
  const room = [
    person("me", 5, { isLocal: true }),
    person("first", 1),
    person("filmed", 2, { hasPicture: true }),
    person("voice", 3, { lastSpokeAt: 99 }),
    person("last", 4),
  ];
  const names = (people: { identity: string }[]) => people.map((p) => p.identity);

  it("keeps the order of entrance while all fit", () => {
    expect(names(castFor(room, 9).shown)).toEqual(["first", "filmed", "voice", "last", "me"]);
    expect(castFor(room, 9).hidden).toEqual([]);
  });
  it("shows oneself, then voices, then pictures", () => {
    expect(names(castFor(room, 1).shown)).toEqual(["me"]);
    expect(names(castFor(room, 2).shown)).toEqual(["voice", "me"]);
    expect(names(castFor(room, 3).shown)).toEqual(["filmed", "voice", "me"]);
    expect(names(castFor(room, 3).hidden)).toEqual(["first", "last"]);
  });
});

describe("loudness", () => {
  it("is 0 for silence, 1 for full scale, and grows between", () => {
    expect(loudness([])).toBe(0);
    expect(loudness(new Float32Array(64))).toBe(0);
    expect(loudness(new Float32Array(64).fill(1))).toBe(1);
    expect(loudness(new Float32Array(64).fill(0.01))).toBeGreaterThan(0.1);
    expect(loudness(new Float32Array(64).fill(0.05))).toBeGreaterThan(loudness(new Float32Array(64).fill(0.01)));
  });
  it("rises at once and falls slowly", () => {
    expect(settle(0, 0.8)).toBe(0.8);
    expect(settle(0.8, 0)).toBeGreaterThan(0.6);
  });
});

describe("knocking again", () => {
  it("waits longer each time, within bounds, and gives up", () => {
    expect(waitBefore(0, 0)).toBe(750);
    expect(waitBefore(0, 0.99)).toBeLessThan(1250);
    expect(waitBefore(9, 0.5)).toBe(15_000);
    expect(waitBefore(MAX_ATTEMPTS, 0.5)).toBeNull();
  });
});
