// A list of rows of one height, of which only those in sight are in the document.

import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useStable } from "../shared/use-stable";

const OVERSCAN = 6;
const FIRST_GUESS = 76; // pixels; the rows say how high they are

export interface VirtualListProps<Item> {
  label: string;
  length: number;
  /** Whether the length is all there is. */
  ends: boolean;
  /** Returns what stands from one place to another; undefined while it is loaded again. */
  items: (from: number, to: number) => (Item | undefined)[];
  row: (item: Item | undefined) => ComponentChildren;
  keyOf: (item: Item) => string;
  onSight: (from: number, to: number) => void;
  handle: RefObject<ListHandle | null>;
  children?: ComponentChildren;
}

export interface ListHandle {
  reveal: (place: number, focus: boolean) => void;
  toTop: () => void;
  isAtTop: () => boolean;
}

export function VirtualList<Item>(props: VirtualListProps<Item>) {
  const { label, length, ends, items, row, keyOf, onSight, handle, children } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useRef<HTMLUListElement>(null);
  const kept = useRef(0);
  const measured = useRef(FIRST_GUESS);
  const [height, setHeight] = useState(FIRST_GUESS);
  const [sight, setSight] = useState({ from: 0, to: 20 });

  const look = useStable(() => {
    const element = scroller.current;
    if (!element?.clientHeight) return; // it is hidden: its place is kept
    kept.current = element.scrollTop;
    const from = Math.max(0, Math.floor(element.scrollTop / measured.current) - OVERSCAN);
    const seen = Math.ceil((element.scrollTop + element.clientHeight) / measured.current);
    const to = seen + OVERSCAN;
    setSight((before) => (before.from === from && before.to === to ? before : { from, to }));
  });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    let wasHidden = element.clientHeight === 0;
    const observer = new ResizeObserver(() => {
      if (wasHidden && element.clientHeight > 0) element.scrollTop = kept.current;
      wasHidden = element.clientHeight === 0;
      measured.current = rows.current?.querySelector("li")?.offsetHeight || measured.current;
      setHeight(measured.current);
      look();
    });
    observer.observe(element);
    if (rows.current) observer.observe(rows.current);
    return () => observer.disconnect();
  }, [look]);
  const from = Math.min(sight.from, Math.max(0, length - 1));
  const to = Math.min(sight.to, length);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a longer list is another sight
  useEffect(() => onSight(from, to), [from, to, length, onSight]);

  handle.current = {
    reveal(place, focus) {
      const element = scroller.current;
      if (!element) return;
      const top = place * height;
      if (top < element.scrollTop) element.scrollTop = top;
      else if (top + height > element.scrollTop + element.clientHeight)
        element.scrollTop = top + height - element.clientHeight;
      look();
      if (focus)
        requestAnimationFrame(() =>
          rows.current?.querySelector<HTMLElement>(`li[data-place="${place}"] button`)?.focus(),
        );
    },
    toTop() {
      if (scroller.current) scroller.current.scrollTop = 0;
      look();
    },
    isAtTop: () => (scroller.current?.scrollTop ?? 0) < height / 2,
  };
  return (
    <div class="scroller" ref={scroller} onScroll={look}>
      <ul
        ref={rows}
        // biome-ignore lint/a11y/noRedundantRoles: Safari forgets that a list without bullets is one
        role="list"
        aria-label={label}
        style={{ height: `${length * height}px` }}
      >
        {items(from, to).map((item, at) => {
          const place = from + at;
          return (
            <li
              key={item ? keyOf(item) : place}
              data-place={place}
              aria-posinset={place + 1}
              aria-setsize={ends ? length : -1}
              style={{ transform: `translateY(${place * height}px)` }}
            >
              {row(item)}
            </li>
          );
        })}
      </ul>
      {children}
    </div>
  );
}
