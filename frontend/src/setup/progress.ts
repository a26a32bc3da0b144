// What a set-up's state means for the page: which half is how far, which question is to be answered.

import type { Confirmation, Half, HalfName, Setup } from "./shapes";

const DAY = 24 * 3600 * 1000;

/** Returns a half's state. An installation that does not tell of halves still tells of questions. */
export function halfOf(setup: Setup, name: HalfName, now: number): Half | undefined {
  const told = setup.halves?.[name];
  if (told) return told;
  if (name === "received" && questionOf(setup, now)) return { state: "awaiting_confirmation" };
  return undefined;
}

export function isDone(setup: Setup): boolean {
  return setup.halves?.sent.state === "working" && setup.halves.received.state === "working";
}

/** Returns the newest question that can still be answered; none once mail has come after it. */
export function questionOf(setup: Setup, now: number): Confirmation | undefined {
  const newest = setup.confirmations[0];
  if (!newest || now - Date.parse(newest.at) > DAY) return undefined;
  const seen = setup.halves?.received.last_seen_at;
  return seen && Date.parse(seen) > Date.parse(newest.at) ? undefined : newest;
}

/** Returns the host of a link, if it is one that may be opened. */
export function hostOf(link: string): string | undefined {
  try {
    const url = new URL(link);
    return url.protocol === "https:" ? url.host : undefined;
  } catch {
    return undefined;
  }
}

/** Splits a guide's text at its placeholders: what is between braces is given with its value. */
export function filled(
  text: string,
  values: Readonly<Record<string, string>>,
): { text: string; value: boolean }[] {
  return text
    .split(/(\{\w+\})/)
    .filter((part) => part !== "")
    .map((part) => {
      const value = part.startsWith("{") ? values[part.slice(1, -1)] : undefined;
      return value === undefined ? { text: part, value: false } : { text: value, value: true };
    });
}

/** Tells an address from a domain; undefined for what is neither. */
export function entryOf(typed: string): { addresses?: string; domains?: string } | undefined {
  const entry = typed.trim().toLowerCase().replace(/^@/, "");
  const domain = /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+[\p{L}\p{N}-]{2,}$/u;
  if (domain.test(entry)) return { domains: entry };
  const [local, host] = splitAt(entry);
  return local && domain.test(host) && !/\s/.test(local) ? { addresses: entry } : undefined;
}

function splitAt(entry: string): [string, string] {
  const at = entry.lastIndexOf("@");
  return at < 0 ? ["", ""] : [entry.slice(0, at), entry.slice(at + 1)];
}
