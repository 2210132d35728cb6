import { describe, expect, it } from "vitest";
import { en } from "@/i18n/en";
import { et } from "@/i18n/et";
import { fill, pickLanguage } from "@/i18n/pick";
import { TROUBLES, troubleOfDevice, troubleOfStatus } from "@/lib/trouble";

const blanks = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

describe("languages", () => {
  it("follow the browser's first wish that is offered", () => {
    expect(pickLanguage(["", "et-EE", "en"], ["en", "et"], "en")).toBe("et");
    expect(pickLanguage(["fi", "sv-FI"], ["en", "et"], "en")).toBe("en");
  });
  it("have the same keys and the same blanks, and no empty text", () => {
    expect(Object.keys(et)).toEqual(Object.keys(en));
    for (const key of Object.keys(en) as (keyof typeof en)[]) {
      expect(et[key].trim(), key).not.toBe("");
      expect(blanks(et[key]), key).toEqual(blanks(en[key]));
    }
  });
  it("fill blanks, and leave one without a value to be seen", () => {
    expect(fill("{name} came, {n}", { name: "Õie", n: 2 })).toBe("Õie came, 2");
    expect(fill("{who} came", {})).toBe("{who} came");
  });
});

// F-6: no silent fallback: whatever fails is said, with what to do.
describe("every trouble", () => {
  it.each(TROUBLES)("%s has a title and a remedy in every language", (code) => {
    for (const table of [en, et]) {
      expect(table[`trouble.${code}.title`].length).toBeGreaterThan(8);
      expect(table[`trouble.${code}.remedy`]).toMatch(/[.?!]$/);
    }
  });
});

describe("the answer at the door", () => {
  it.each([
    [400, false, "badName"],
    [401, true, "badInvitation"],
    [403, false, "refused"],
    [404, false, "notOpen"],
    [404, true, "badInvitation"],
    [409, false, "nameTaken"],
    [429, false, "slowDown"],
    [500, false, "serverFault"],
    [502, false, "serverDown"],
    [503, false, "full"],
  ] as const)("%i (invited: %s) means %s", (status, invited, trouble) => {
    expect(troubleOfStatus(status, invited)).toBe(trouble);
  });
});

describe("a device's refusal", () => {
  const error = (name: string) => new DOMException("", name);
  it("is told by what can be done about it", () => {
    expect(troubleOfDevice(error("NotAllowedError"), "camera")).toBe("permission");
    expect(troubleOfDevice(error("NotFoundError"), "camera")).toBe("noCamera");
    expect(troubleOfDevice(error("NotFoundError"), "microphone")).toBe("noMicrophone");
    expect(troubleOfDevice(error("NotReadableError"), "camera")).toBe("deviceBusy");
    expect(troubleOfDevice("what?", "camera")).toBe("deviceFault");
  });
});
