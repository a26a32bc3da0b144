// The set-up's own texts: they are not loaded with the inbox.

import { useLanguage } from "../i18n";
import { setup as de } from "../i18n/de/setup";
import { setup as en } from "../i18n/en/setup";

export function useSetupText() {
  return useLanguage().code.startsWith("de") ? de : en;
}
