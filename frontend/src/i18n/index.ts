// Texts by key, in the reader's language; numbers and dates as that language writes them.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { type Catalogue, en } from "./en";

export interface Language {
  code: string;
  text: Catalogue;
  date: (moment: Date) => string;
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
  const time = new Intl.DateTimeFormat(code, { hour: "numeric", minute: "2-digit" });
  const day = new Intl.DateTimeFormat(code, { day: "numeric", month: "short" });
  const year = new Intl.DateTimeFormat(code, { day: "numeric", month: "short", year: "numeric" });
  return {
    code,
    text,
    date(moment) {
      const now = new Date();
      if (moment.toDateString() === now.toDateString()) return time.format(moment);
      return (moment.getFullYear() === now.getFullYear() ? day : year).format(moment);
    },
  };
}

export const LanguageContext = createContext<Language>(language("en", en));

export function useLanguage(): Language {
  return useContext(LanguageContext);
}
