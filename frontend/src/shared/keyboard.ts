// Single-key shortcuts: off while the reader types or has disabled them; only where the page allows them.

import { createContext } from "preact";
import { useContext, useEffect, useRef } from "preact/hooks";

/** Where keys count: in the whole page, in the element that has the focus, or nowhere. */
export type KeyScope = "page" | "focus" | "off";

export interface KeyTarget {
  scope: KeyScope;
  element: HTMLElement | undefined;
}

export const KeyContext = createContext<KeyTarget>({ scope: "off", element: undefined });

export type Keys = Record<string, (event: KeyboardEvent) => void>;

const SWITCH = "satchel.keys";
const TYPING = "input, textarea, select, [contenteditable=''], [contenteditable='true']";

/** Whether the reader has switched single keys off. */
export function keysAreOff(): boolean {
  try {
    return localStorage.getItem(SWITCH) === "off";
  } catch {
    return false; // a page may forbid its frames to store
  }
}

export function switchKeys(on: boolean): void {
  try {
    if (on) localStorage.removeItem(SWITCH);
    else localStorage.setItem(SWITCH, "off");
  } catch {
    // They stay as they are.
  }
}

/** Returns the shortcut key of an event; nothing while the reader types or holds a modifier. */
export function keyOf(event: KeyboardEvent): string | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.defaultPrevented) return;
  const target = event.composedPath()[0];
  if (target instanceof Element && target.closest(TYPING)) return;
  if (target instanceof Element && target.closest("dialog[open]")) return;
  return event.key;
}

/** Calls the handler of a key, while the component is mounted. */
export function useKeys(keys: Keys): void {
  const { scope, element } = useContext(KeyContext);
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    const target = scope === "page" ? document : scope === "focus" ? element : undefined;
    if (!target) return;
    const press = (event: Event) => {
      if (!(event instanceof KeyboardEvent) || element?.hidden || keysAreOff()) return;
      const key = keyOf(event);
      const act = key === undefined ? undefined : current.current[key];
      if (!act) return;
      event.preventDefault();
      act(event);
    };
    target.addEventListener("keydown", press);
    return () => target.removeEventListener("keydown", press);
  }, [scope, element]);
}
