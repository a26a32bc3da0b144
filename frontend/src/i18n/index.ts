// Texts by key, in the reader's language; numbers and dates as that language writes them.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { en } from "./en";
import { type Formats, formatsOf } from "./formats";

/** A catalogue's part in another language: the same keys, texts for texts, functions for functions. */
export type Part<English> = {
  [Key in keyof English]: English[Key] extends (...args: infer Args) => string
    ? (...args: Args) => string
    : string;
};

export type Catalogue = Part<typeof en>;

export interface Language extends Formats {
  code: string;
  text: Catalogue;
}

const loaders: Record<string, () => Promise<Catalogue>> = {
  en: async () => en,
  de: async () => (await import("./de")).de,
};

/** Returns the first language of the list that there is a catalogue for; English else. */
export async function languageOf(wanted: readonly string[]): Promise<Language> {
  for (const tag of wanted) {
    const load = loaders[tag.split("-")[0]?.toLowerCase() ?? ""];
    if (load) return language(tag, await load());
  }
  return language("en", en);
}

export function language(code: string, text: Catalogue): Language {
  return { code, text, ...formatsOf(code) };
}

export const LanguageContext = createContext<Language>(language("en", en));

export function useLanguage(): Language {
  return useContext(LanguageContext);
}
