// What a search may mean: its operators, and the people that its last word may stand for.

import type { Conversation } from "./conversations";

export const OPERATORS = [
  ["from:anna", "search.op.from", "from:"],
  ["to:anna@mail.example", "search.op.to", "to:"],
  ["has:attachment", "search.op.attachment", "has:attachment "],
  ["after:2026-01-31", "search.op.after", "after:"],
  ["before:2026-02", "search.op.before", "before:"],
  ["“salary range”", "search.op.phrase", '"'],
  ["inter*", "search.op.prefix", ""],
] as const;

/** A suggestion for a search: a profile, or the address of a participant. */
export interface Suggestion {
  name: string;
  /** Set for a profile. */
  id?: string;
  /** Set for any other participant. */
  address?: string;
}

const MOST = 6;
const LEAST_LETTERS = 2;
const LAST = /(?:^|\s)(?:(from|to):)?([^\s":]*)$/i;

/** Returns the people among these conversations whom the last word of a search may name. */
export function suggestionsFor(q: string, conversations: readonly Conversation[]): Suggestion[] {
  const [, operator, word = ""] = LAST.exec(q) ?? [];
  const wanted = fold(word);
  if (wanted.length < LEAST_LETTERS) return [];
  const found = new Map<string, Suggestion>();
  const profiles = new Set<string>();
  for (const { profiles: persons } of conversations)
    for (const person of persons) {
      if (person.name) profiles.add(fold(person.name));
      if (!operator && matches(person.name, wanted))
        found.set(person.person_id, { name: person.name, id: person.person_id });
    }
  for (const { participants } of conversations)
    for (const { name, address } of participants) {
      if (found.size >= MOST) return [...found.values()].slice(0, MOST);
      if (!operator && profiles.has(fold(name))) continue;
      if (matches(name, wanted) || fold(address).startsWith(wanted))
        found.set(address, { name: name || address, address });
    }
  return [...found.values()].slice(0, MOST);
}

/** Returns the search with its last word replaced by the chosen person; without it for a profile. */
export function completed(q: string, chosen: Suggestion): string {
  const [all = "", operator] = LAST.exec(q) ?? [];
  const before = q.slice(0, q.length - all.length);
  const rest = chosen.address ? `${operator?.toLowerCase() ?? "from"}:${chosen.address} ` : "";
  return `${before}${before && rest ? " " : ""}${rest}`;
}

/** Returns the search with an operator at its end. */
export function withOperator(q: string, operator: string): string {
  return q === "" || q.endsWith(" ") ? q + operator : `${q} ${operator}`;
}

function matches(name: string, wanted: string): boolean {
  return fold(name)
    .split(/[\s,.'"()-]+/)
    .some((word) => word.startsWith(wanted));
}

function fold(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
