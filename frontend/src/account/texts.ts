// The account's own texts: they are not loaded with the inbox.

import { useLanguage } from "../i18n";
import { account as de } from "../i18n/de/account";
import { account as en } from "../i18n/en/account";

export function useAccountText() {
  return useLanguage().code.startsWith("de") ? de : en;
}

/** Returns the text of a word of the API; the word itself, if it is a new one. */
export function worded(text: object, key: string, word: string): string {
  const found = (text as Record<string, unknown>)[key];
  return typeof found === "string" ? found : word;
}
