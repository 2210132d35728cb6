/** A name for whoever has none yet: «Treasured Ape», as on elektron.live (E-40). Drawn once, kept in the browser, changed at will. */
import { cleanDisplayName } from "./displayName";
import { keep, recall } from "./keep";

const ADJECTIVES = [
  "Amber", "Brave", "Bright", "Calm", "Candid", "Clever", "Cosmic", "Crimson", "Curious", "Daring", "Dreaming", "Electric",
  "Fearless", "Gentle", "Glowing", "Golden", "Graceful", "Happy", "Hidden", "Honest", "Humming", "Jolly", "Kind", "Lively", "Lucky",
  "Midnight", "Mighty", "Modest", "Noble", "Patient", "Playful", "Proud", "Quiet", "Radiant", "Serene", "Silver", "Sunny",
  "Swift", "Treasured", "Velvet", "Wandering", "Wise",
];
const ANIMALS = [
  "Ape", "Badger", "Bear", "Beaver", "Bison", "Cat", "Crane", "Deer", "Dolphin", "Eagle", "Elk", "Falcon", "Fox", "Gecko", "Hare",
  "Hawk", "Hedgehog", "Heron", "Horse", "Ibex", "Jay", "Koala", "Lark", "Lynx", "Marten", "Moose", "Newt", "Octopus", "Otter", "Owl",
  "Panda", "Penguin", "Puffin", "Raven", "Robin", "Seal", "Sparrow", "Squirrel", "Stork", "Swan", "Tiger", "Turtle", "Whale", "Wolf",
];

/** Two numbers in [0, 1) become a name. */
export function nameFor(adjective: number, animal: number): string {
  const of = (words: readonly string[], share: number) => words[Math.floor(share * words.length)] ?? words[0];
  return `${of(ADJECTIVES, adjective)} ${of(ANIMALS, animal)}`;
}

/** The name that was kept, or a new one, which is kept from now on. */
export function ownName(): string {
  const kept = cleanDisplayName(recall("name") ?? "");
  if (kept !== "") return kept;
  const drawn = nameFor(Math.random(), Math.random());
  keep("name", drawn);
  return drawn;
}
