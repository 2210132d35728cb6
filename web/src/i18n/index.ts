/** Languages: a table each, chosen by the browser and changeable by hand. A new one is one file and one line here. */
import { computed, readonly, ref, watchEffect } from "vue";
import { keep, recall } from "@/lib/keep";
import { en, type MessageKey, type Messages } from "./en";
import { et } from "./et";
import { fill, pickLanguage } from "./pick";

export const languages = { en, et } satisfies Record<string, Messages>;
export type Language = keyof typeof languages;

export const languageCodes = Object.keys(languages) as Language[];

const chosen = ref<Language>(pickLanguage([recall("lang") ?? "", ...navigator.languages], languageCodes, "en"));
const table = computed<Messages>(() => languages[chosen.value]);

/** The language in use; change it by `speak`. */
export const language = readonly(chosen);

/** Changes the language now and for the next visits. */
export function speak(code: Language): void {
  chosen.value = code;
  keep("lang", code);
}

/** The text for a key with its {blanks} filled. Reactive: templates follow a change of language. */
export function t(key: MessageKey, blanks: Record<string, string | number> = {}): string {
  return fill(table.value[key], blanks);
}

// Screen readers choose their voice by this.
watchEffect(() => {
  document.documentElement.lang = chosen.value;
});
