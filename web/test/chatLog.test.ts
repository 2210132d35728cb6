import { describe, expect, it } from "vitest";
import { ChatLog, type Heard, MAX_CHAT_LENGTH, MAX_CHAT_LINES, readChatChange, readChatData, readPast } from "@/lib/chatLog";

const heard = (more: Partial<Heard> = {}): Heard => ({
  from: "p_mari", name: "Mari", text: "tere", at: 1000, mine: false, path: "stream", ...more,
});
const bytes = (text: string) => new TextEncoder().encode(text);

describe("the chat", () => {
  it("keeps what is said in order", () => {
    const log = new ChatLog();
    log.add(heard({ id: "1", text: "one" }));
    log.add(heard({ id: "2", text: "two", from: "p_jaan" }));
    expect(log.lines.map((line) => line.text)).toEqual(["one", "two"]);
  });
  it("shows a message once when it comes as stream and as data", () => {
    const log = new ChatLog();
    expect(log.add(heard({ id: "s1", path: "stream" }))).toBe(true);
    expect(log.add(heard({ id: "d1", path: "data", at: 1400 }))).toBe(false);
    expect(log.add(heard({ path: "data", at: 1500 }))).toBe(false);
  });
  it("shows a message once when its id comes twice, but another person's same id as another message", () => {
    const log = new ChatLog();
    log.add(heard({ id: "1" }));
    expect(log.add(heard({ id: "1", text: "changed", at: 99_999 }))).toBe(false);
    expect(log.add(heard({ id: "1", from: "p_jaan" }))).toBe(true);
  });
  it("lets people repeat themselves", () => {
    const log = new ChatLog();
    log.add(heard({ id: "1" }));
    expect(log.add(heard({ id: "2", at: 1200 }))).toBe(true);
    expect(log.add(heard({ id: "3", path: "data", at: 60_000 }))).toBe(true);
  });
  it("is bounded in lines and in length, and takes no empty line", () => {
    const log = new ChatLog();
    for (let i = 0; i < MAX_CHAT_LINES + 20; i += 1) log.add(heard({ id: String(i), text: `line ${i}` }));
    expect(log.lines).toHaveLength(MAX_CHAT_LINES);
    expect(log.lines.at(-1)?.text).toBe(`line ${MAX_CHAT_LINES + 19}`);
    log.add(heard({ id: "long", text: "x".repeat(MAX_CHAT_LENGTH * 2) }));
    expect(log.lines.at(-1)?.text).toHaveLength(MAX_CHAT_LENGTH);
    expect(log.add(heard({ text: "  \n" }))).toBe(false);
  });
});

describe("what was said before one came", () => {
  const entry = (id: string, text: string, at: number, identity = "bus:mako") => ({ id, at, identity, name: "Mako", text });

  it("comes before what one has heard meanwhile, once, in the order of the log", () => {
    const log = new ChatLog();
    log.add(heard({ id: "3", from: "bus:mako", text: "three", at: 5000 }));
    expect(log.addPast(readPast([entry("1", "one", 1000), entry("3", "three", 3000)], "me"))).toBe(true);
    expect(log.lines.map((line) => line.text)).toEqual(["one", "three"]);
    log.add(heard({ id: "5", from: "bus:mako", text: "five", at: 6000 }));
    const again = [entry("1", "one", 1000), entry("3", "three", 3000), entry("4", "four", 3500)];
    expect(log.addPast(readPast(again, "me"))).toBe(true);
    expect(log.lines.map((line) => line.text)).toEqual(["one", "three", "four", "five"]);
    expect(log.addPast(readPast(again, "me"))).toBe(false);
  });

  it("is one's own where it is, and what is malformed is left out", () => {
    const past = readPast([entry("1", "one", 1, "me"), null, {}, { id: 7 }, entry("2", "two", 2)], "me");
    expect(past.map(({ text, mine }) => [text, mine])).toEqual([["one", true], ["two", false]]);
    expect(readPast({ error: "no" }, "me")).toEqual([]);
  });

  it("goes when a moderator takes it out", () => {
    const log = new ChatLog();
    log.addPast(readPast([entry("1", "one", 1), entry("2", "two", 2)], "me"));
    const bytes = (change: unknown) => new TextEncoder().encode(JSON.stringify(change));
    expect(readChatChange(bytes({ deleted: "1" }))).toEqual({ deleted: "1" });
    expect(readChatChange(bytes({ refused: "1", why: "closed" }))).toEqual({ refused: "1", why: "closed" });
    expect(readChatChange(bytes({ cleared: true }))).toEqual({ cleared: true });
    expect(readChatChange(bytes("nonsense"))).toBe(null);
    expect(log.remove("1")).toBe(true);
    expect(log.remove("1")).toBe(false);
    expect(log.lines.map((line) => line.text)).toEqual(["two"]);
  });
});

describe("a chat data packet", () => {
  it("is read as JSON of either shape, or as plain text", () => {
    expect(readChatData(bytes('{"id":"7","timestamp":1,"message":"tere"}'))).toEqual({ text: "tere", id: "7", name: undefined });
    expect(readChatData(bytes('{"text":"tere","name":"Mari"}'))).toEqual({ text: "tere", id: undefined, name: "Mari" });
    expect(readChatData(bytes("tere, õhtu"))).toEqual({ text: "tere, õhtu" });
    expect(readChatData(bytes('"tere"'))).toEqual({ text: "tere" });
    expect(readChatData(bytes("42"))).toEqual({ text: "42" });
  });
  it("is passed over when it has no words or says that a stream carries them", () => {
    expect(readChatData(bytes('{"message":{"a":1}}'))).toBeNull();
    expect(readChatData(bytes('{"message":"tere","ignoreLegacy":true}'))).toBeNull();
  });
  it("never throws on bytes that are no text", () => {
    expect(() => readChatData(new Uint8Array([0xff, 0xfe, 0x00]))).not.toThrow();
  });
});
