// What a reader prefers on this device: theme and language. Nothing else is kept here, no token ever.

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;

const THEME = "satchel.theme";
const LANGUAGE = "satchel.language";

export function themeOf(): Theme {
  const kept = read(THEME);
  return THEMES.find((theme) => theme === kept) ?? "auto";
}

/** Keeps the theme, and shows it: the page here, the elements by their attribute. */
export function setTheme(theme: Theme): void {
  keep(THEME, theme === "auto" ? undefined : theme);
  showTheme(theme);
}

export function showTheme(theme: Theme): void {
  document.documentElement.style.colorScheme = theme === "auto" ? "" : theme;
}

/** Returns the languages to try, the chosen one first. */
export function languagesWanted(): string[] {
  const chosen = read(LANGUAGE);
  const wanted = [...navigator.languages];
  if (!chosen) return wanted;
  // The reader's own region writes dates as they are used to.
  const regional = wanted.find((tag) => tag.split("-")[0] === chosen);
  return [regional ?? chosen, ...wanted];
}

export function setLanguage(code: string): void {
  keep(LANGUAGE, code);
}

function read(name: string): string | undefined {
  try {
    return localStorage.getItem(name) ?? undefined;
  } catch {
    return undefined; // a page may forbid its frames to store
  }
}

function keep(name: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // It holds until the page is left.
  }
}
