// A list that is loaded page by page; what has been decided is taken out of it.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useStable } from "../shared/use-stable";

export interface ListPage<Item> {
  items: Item[];
  next_cursor: string | null;
}

export interface Pages<Item> {
  items: Item[] | undefined;
  error: unknown;
  next: string | null;
  more: () => void;
  again: () => void;
  change: (change: (items: Item[]) => Item[]) => void;
}

/** Asks for the first page when the key changes. */
export function usePages<Item>(
  ask: (cursor: string | undefined) => Promise<ListPage<Item>>,
  key: unknown,
): Pages<Item> {
  const [items, setItems] = useState<Item[]>();
  const [next, setNext] = useState<string | null>(null);
  const [error, setError] = useState<unknown>();
  const round = useRef(0);
  const asking = useStable(ask);
  const load = useCallback(
    async (cursor: string | undefined) => {
      const mine = ++round.current;
      try {
        const page = await asking(cursor);
        if (mine !== round.current) return;
        setItems((before) => (cursor ? [...(before ?? []), ...page.items] : page.items));
        setNext(page.next_cursor);
        setError(undefined);
      } catch (failure) {
        if (mine === round.current) setError(failure);
      }
    },
    [asking],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key says when to fetch again
  useEffect(() => {
    setItems(undefined);
    void load(undefined);
  }, [load, key]);
  return {
    items,
    error,
    next,
    more: () => next && void load(next),
    again: () => void load(undefined),
    change: (change) => setItems((before) => before && change(before)),
  };
}
