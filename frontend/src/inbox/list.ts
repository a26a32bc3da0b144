// A list of conversations of any length, of which a part is loaded: pure, and tested without a page.
//
// It grows page by page as it is scrolled. Pages that are far away give up their items and keep
// their place; the cursor that they began with brings the items back. What is new is merged from the
// first page of the same filter, so that it is right whatever the filter means.

import type { Conversation } from "./conversations";

interface Held {
  cursor: string | undefined;
  /** What it holds; undefined while it has given its items up. */
  items: readonly Conversation[] | undefined;
  count: number;
}

export interface List {
  pages: readonly Held[];
  /** Where the next page begins; null: there is none; undefined: nothing was loaded yet. */
  next: string | null | undefined;
}

export const nothing: List = { pages: [], next: undefined };

/** Pages on each side of what is seen that keep their items. */
const KEPT = 12;

export function lengthOf(list: List): number {
  return list.pages.reduce((sum, page) => sum + page.count, 0);
}

/** Returns what stands from one place to another; undefined where it has to be loaded again. */
export function slice(list: List, from: number, to: number): (Conversation | undefined)[] {
  const found: (Conversation | undefined)[] = [];
  let start = 0;
  for (const page of list.pages) {
    if (start >= to) break;
    for (let at = Math.max(from, start); at < Math.min(to, start + page.count); at++)
      found.push(page.items?.[at - start]);
    start += page.count;
  }
  return found;
}

/** Returns the place of a conversation; -1 if it is not loaded. */
export function placeOf(list: List, id: string): number {
  let start = 0;
  for (const page of list.pages) {
    const at = page.items?.findIndex((item) => item.id === id) ?? -1;
    if (at >= 0) return start + at;
    start += page.count;
  }
  return -1;
}

export function find(list: List, id: string): Conversation | undefined {
  for (const page of list.pages) {
    const found = page.items?.find((item) => item.id === id);
    if (found) return found;
  }
  return undefined;
}

/** Every conversation that is loaded. */
export function held(list: List): Conversation[] {
  return list.pages.flatMap((page) => page.items ?? []);
}

export function appended(list: List, items: readonly Conversation[], next: string | null): List {
  const known = new Set(held(list).map((item) => item.id));
  const fresh = items.filter((item) => !known.has(item.id));
  return { pages: [...list.pages, full(list.next ?? undefined, fresh)], next };
}

/** Returns the page that a place is on and that has to be loaded again, with its cursor. */
export function missing(
  list: List,
  from: number,
  to: number,
): { page: number; cursor: string | undefined } | undefined {
  let start = 0;
  for (const [page, { count, items, cursor }] of list.pages.entries()) {
    if (!items && count > 0 && start < to && start + count > from) return { page, cursor };
    start += count;
  }
  return undefined;
}

export function refilled(list: List, page: number, items: readonly Conversation[]): List {
  const others = new Set(held(list).map((item) => item.id));
  const fresh = items.filter((item) => !others.has(item.id));
  return withPage(list, page, (before) => full(before.cursor, fresh));
}

/** Lets pages that are far from what is seen give up their items; the first keeps them. */
export function trimmed(list: List, from: number, to: number): List {
  const seen = pagesBetween(list, from, to);
  if (!seen) return list;
  const isFar = (at: number) => at > 0 && (at < seen.first - KEPT || at > seen.last + KEPT);
  if (!list.pages.some((page, at) => page.items && isFar(at))) return list;
  return {
    ...list,
    pages: list.pages.map((page, at) => (isFar(at) ? { ...page, items: undefined } : page)),
  };
}

/** Returns the list with one conversation as it is now, in its place. */
export function replaced(list: List, id: string, item: Conversation | undefined): List {
  const page = list.pages.findIndex((held) => held.items?.some((one) => one.id === id));
  if (page < 0) return list;
  const twice = item && item.id !== id && find(list, item.id);
  return withPage(list, page, (before) => {
    const items = (before.items ?? []).flatMap((one) =>
      one.id !== id ? [one] : item && !twice ? [item] : [],
    );
    return full(before.cursor, items);
  });
}

export function changed(list: List, change: (item: Conversation) => Conversation): List {
  const pages = list.pages.map((page) => ({ ...page, items: page.items?.map(change) }));
  return { ...list, pages };
}

/** How many of the newest are new or have moved up: what would jump if they were shown. */
export function newIn(list: List, head: readonly Conversation[]): number {
  const shown = list.pages[0]?.items ?? [];
  const overlap = overlapOf(shown, head);
  const ahead = overlap ? head.slice(0, overlap.head + 1) : head;
  return ahead.filter((item) => !shown.some((one) => isSame(one, item))).length;
}

/** Returns the list with its newest conversations as they are now.
 *
 * `keep` lets those stay that are no longer in it: they were read a moment ago. */
export function merged(
  list: List,
  head: readonly Conversation[],
  next: string | null,
  keep = false,
): List {
  const shown = list.pages[0]?.items ?? [];
  const overlap = overlapOf(shown, head);
  if (!overlap) {
    const stay = keep && next === null ? shown.filter((one) => !has(head, one.id)) : [];
    return { pages: [full(undefined, [...head, ...stay.map(asRead)])], next };
  }
  const first = [...head.slice(0, overlap.head + 1)];
  const before = shown.slice(0, overlap.shown);
  const gone = keep ? before.filter((one) => !has(head, one.id)) : [];
  for (const one of gone) {
    const at = shown.indexOf(one);
    const above = shown.slice(0, at).findLast((other) => has(first, other.id));
    const place = above ? first.findIndex((other) => other.id === above.id) + 1 : 0;
    first.splice(place, 0, asRead(one));
  }
  const rest = shown.slice(overlap.shown + 1).filter((one) => !has(first, one.id));
  const moved = new Set(first.map((one) => one.id));
  const later = list.pages.slice(1).map((page) => {
    const items = page.items?.filter((one) => !moved.has(one.id));
    return items ? full(page.cursor, items) : page;
  });
  return { pages: [full(undefined, [...first, ...rest]), ...later], next: list.next ?? null };
}

/** Shows what changed inside of the rows, and moves none. */
export function refreshed(list: List, items: readonly Conversation[]): List {
  const byId = new Map(items.map((item) => [item.id, item]));
  return changed(list, (item) => {
    const now = byId.get(item.id);
    return now && isSame(now, item) ? now : item;
  });
}

/** The last of the newest that is shown as it is: everything before it was fetched again. */
function overlapOf(shown: readonly Conversation[], head: readonly Conversation[]) {
  const places = new Map(shown.map((item, place) => [item.id, place]));
  for (let at = head.length - 1; at >= 0; at--) {
    const item = head[at];
    const place = item && places.get(item.id);
    const before = place === undefined ? undefined : shown[place];
    if (item && before && place !== undefined && isSame(before, item))
      return { head: at, shown: place };
  }
  return undefined;
}

function isSame(one: Conversation, other: Conversation): boolean {
  return one.id === other.id && one.last_mail_at === other.last_mail_at;
}

function has(items: readonly Conversation[], id: string): boolean {
  return items.some((item) => item.id === id);
}

function asRead(item: Conversation): Conversation {
  return item.unread ? { ...item, unread: false } : item;
}

function full(cursor: string | undefined, items: readonly Conversation[]): Held {
  return { cursor, items, count: items.length };
}

function withPage(list: List, page: number, change: (before: Held) => Held): List {
  return { ...list, pages: list.pages.map((one, at) => (at === page ? change(one) : one)) };
}

function pagesBetween(list: List, from: number, to: number) {
  let start = 0;
  let first = -1;
  let last = -1;
  for (const [at, page] of list.pages.entries()) {
    if (start < to && start + page.count > from) {
      if (first < 0) first = at;
      last = at;
    }
    start += page.count;
  }
  return first < 0 ? undefined : { first, last };
}
