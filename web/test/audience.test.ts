import { describe, expect, it } from "vitest";
import { columnsFor, lineOf, readMosaic, readPoints, sendEvery } from "@/lib/audience";
import { placeOf } from "@/lib/places";

describe("the live audience (E-36)", () => {
  it("sends a picture a second, and seldomer the more there are", () => {
    expect([0, 1, 10, 50, 1000].map(sendEvery)).toEqual([1000, 1000, 1000, 5000, 20000]);
  });

  it("stands in about as many columns as rows", () => {
    expect([0, 1, 2, 4, 5, 9, 10].map(columnsFor)).toEqual([1, 1, 2, 2, 3, 3, 4]);
  });

  it("takes pictures and nothing else", () => {
    const images = [{ imgData: "data:image/jpeg;base64,AAAA" }, { imgData: "javascript:alert(1)" }, { imgData: "data:image/svg+xml;base64,AAAA" }, null];
    expect(readMosaic({ images })).toEqual(["data:image/jpeg;base64,AAAA"]);
    expect(readMosaic(null)).toEqual([]);
  });
});

describe("statistics (E-37)", () => {
  const points = readPoints({ points: [{ at: 0, people: 1, brightness: 0.5, motion: null }, { at: 10, people: 2, brightness: 1, motion: 0.5 }, { at: "no" }] });

  it("are read as far as they are points", () => {
    expect(points.map((point) => point.people)).toEqual([1, 2]);
    expect(readPoints({ error: "no" })).toEqual([]);
  });

  it("become lines with gaps left out", () => {
    expect(lineOf(points, (point) => point.people, 2, 100, 10)).toBe("0.0,5.0 100.0,0.0");
    expect(lineOf(points, (point) => point.motion, 1, 100, 10)).toBe("100.0,5.0");
    expect(lineOf([], (point) => point.people, 1, 100, 10)).toBe("");
  });

  it("have a page for each room", () => {
    expect(placeOf("/residence/statistics")).toEqual({ kind: "statistics", room: "residence" });
    expect(placeOf("/room/rtc/statistics")).toEqual({ kind: "statistics", room: "rtc" });
    expect(placeOf("/statistics")).toEqual({ kind: "room", room: "statistics" });
    expect(placeOf("/rtc/statistics")).toEqual({ kind: "nowhere" });
    expect(placeOf("/room/statistics")).toEqual({ kind: "room", room: "statistics" });
  });
});
