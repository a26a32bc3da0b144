// What a set-up's state means for the page: which half is how far, which question is to be answered.

import type { Confirmation, Half, HalfName, Setup } from "./shapes";

const DAY = 24 * 3600 * 1000;
const MOST_QUESTIONS = 3; // a user has few mailboxes, and anybody may write one
const MOST_MAILBOXES = 20; // the API tells no more

/** Returns a half's state. An installation without halves still has confirmations. */
export function halfOf(setup: Setup, name: HalfName, now: number): Half | undefined {
  const told = setup.halves?.[name];
  if (told) return told;
  if (name === "received" && questionsOf(setup, now)[0]) return { state: "awaiting_confirmation" };
  return undefined;
}

export function isDone(setup: Setup): boolean {
  return missingHalf(setup) === undefined;
}

/** Returns what does not work yet; undefined when all works. */
export function missingHalf(setup: Setup): HalfName | "both" | undefined {
  const sent = setup.halves?.sent.state === "working";
  const received = setup.halves?.received.state === "working";
  if (sent && received) return undefined;
  if (!sent && !received) return "both";
  return sent ? "received" : "sent";
}

/**
 * Returns the questions that can still be answered, in the API's order: those that are proved to be
 * the provider's first, each newest first. One is answered once the first mail has come after it;
 * where mail came before, it may be of another mailbox, and stays.
 */
export function questionsOf(setup: Setup, now: number): Confirmation[] {
  const { first_seen_at, last_seen_at } = setup.halves?.received ?? {};
  const first = Date.parse(first_seen_at ?? last_seen_at ?? "") || Number.NEGATIVE_INFINITY;
  return setup.confirmations
    .filter(({ at }) => now - Date.parse(at) <= DAY && Date.parse(at) >= first)
    .slice(0, MOST_QUESTIONS);
}

export type Doubt = "failed" | "stranger" | "unproved";

/** Returns what speaks against answering a question; undefined for one that is as it should be. */
export function doubtOf(
  question: Pick<Confirmation, "authentication" | "doubtful" | "requested_by">,
  mailboxes: readonly string[],
): Doubt | undefined {
  if (question.authentication?.verdict === "failed") return "failed";
  const asked = question.requested_by?.toLowerCase();
  const isOwn = mailboxes.some((one) => one.toLowerCase() === asked);
  const areAll = mailboxes.length > 0 && mailboxes.length < MOST_MAILBOXES;
  if (asked && areAll && !isOwn) return "stranger";
  return question.doubtful ? "unproved" : undefined;
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

type Values = Readonly<Record<string, string>>;

export interface Part {
  text: string;
  /** `missing`: the user has no such value, and reads what it is in words. */
  kind: "text" | "value" | "missing";
}

/** Splits a guide's text at its placeholders: what is between braces is given with its value. */
export function filled(text: string, values: Values, words: Values): Part[] {
  return text
    .split(/(\{\w+\})/)
    .filter((part) => part !== "")
    .map((part) => {
      const name = part.startsWith("{") ? part.slice(1, -1) : undefined;
      if (name === undefined) return { text: part, kind: "text" };
      const value = values[name];
      if (value !== undefined) return { text: value, kind: "value" };
      return { text: words[name] ?? part, kind: "missing" };
    });
}

/** Distinguishes an address from a domain; undefined for anything else. */
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
