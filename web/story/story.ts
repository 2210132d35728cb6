/**
 * The stage with made-up people, to be looked at without a server. Query: n (people), screen=1, panel=chat|people|devices,
 * link=reconnecting|retrying, trouble=CODE, sound=blocked, unread=1.
 */
import "@/ui/fonts.css";
import "@/ui/base.css";
import { createApp, h, ref } from "vue";
import type { ChatLine } from "@/lib/chatLog";
import type { Trouble } from "@/lib/trouble";
import type { PanelName } from "@/stage/ControlBar.vue";
import type { Link, Person, Quality } from "@/stage/model";
import StageView from "@/stage/StageView.vue";
import { drawnFace, drawnScreen } from "./pictures";

const wish = new URLSearchParams(location.search);
const NAMES = [
  "Mari Maasikas", "Jaan", "Õie Kask", "Tõnis", "Ann-Liis van der Kask", "Priit", "Kätlin Ööbik", "劇場 花子", "Ott",
  "Leelo Tungal-Maarja of the Very Long Surname", "Sõnajalg", "Ülo",
];
const QUALITIES: Quality[] = ["excellent", "good", "poor", "lost", "unknown"];

function person(index: number): Person {
  const name = NAMES[index % NAMES.length] ?? "";
  return {
    identity: `p_${index}`,
    name: index < NAMES.length ? name : `${name} ${index}`,
    isLocal: index === 0,
    speaking: index === 2 || index === 1,
    lastSpokeAt: index === 2 ? 5 : 0,
    joinedAt: index,
    quality: QUALITIES[index % QUALITIES.length] ?? "unknown",
    microphoneOn: index % 3 !== 0,
    camera: index % 5 === 3 || index % 7 === 4 ? null : drawnFace(index),
    screen: index === 2 && wish.has("screen") ? drawnScreen() : null,
  };
}

const said: [string, string][] = [
  ["Jaan", "Tere õhtust! Kas lavaheli on juba sees?"],
  ["Mari Maasikas", "Varsti. Valgus on paigas, heli viie minuti pärast."],
  ["Õie Kask", "The stream link is\nhttps://example.org/a/very/long/address/that/has/to/break/somewhere"],
  ["Mari Maasikas", "Aitäh 🎭"],
];
const lines: ChatLine[] = said.map(([name, text], index) => ({
  id: String(index), from: name, name, text, at: Date.UTC(2026, 0, 5, 17, 50 + index), mine: index === 1 || index === 3,
}));

const mine = ref({ microphoneOn: true, cameraOn: true, screenOn: false, microphoneId: "2", cameraId: "" });
const people = Array.from({ length: Number(wish.get("n") ?? 6) }, (_, index) => person(index));
const devices = [{ id: "1", label: "Built-in microphone" }, { id: "2", label: "USB Audio CODEC (08bb:2902)" }];

createApp(() =>
  h(StageView, {
    room: wish.get("room") ?? "residence",
    link: (wish.get("link") ?? "connected") as Link,
    people,
    abilities: { microphone: true, camera: true, screen: !wish.has("phone"), chat: true },
    mine: mine.value,
    lines: wish.has("quiet") ? [] : lines,
    trouble: wish.get("trouble") as Trouble | null,
    notice: "",
    soundBlocked: wish.get("sound") === "blocked",
    microphones: devices,
    cameras: devices,
    firstPanel: wish.get("panel") as PanelName | null,
    onMicrophone: (on: boolean) => (mine.value = { ...mine.value, microphoneOn: on }),
    onCamera: (on: boolean) => (mine.value = { ...mine.value, cameraOn: on }),
    onScreen: (on: boolean) => (mine.value = { ...mine.value, screenOn: on }),
  }),
).mount("#app");
