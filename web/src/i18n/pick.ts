/** The pure half of the i18n module. */

/** The first wanted language (BCP 47, "et-EE") that is offered ("et"), else the fallback. */
export function pickLanguage<L extends string>(wanted: readonly string[], offered: readonly L[], fallback: L): L {
  for (const tag of wanted) {
    const base = tag.toLowerCase().split("-")[0];
    const match = offered.find((code) => code === base);
    if (match !== undefined) return match;
  }
  return fallback;
}

/** Puts values into {blanks}; a blank without a value stays as it is, so that the fault can be seen. */
export function fill(text: string, blanks: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (blank, name: string) => String(blanks[name] ?? blank));
}
