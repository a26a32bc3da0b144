// The list of a filter: loads as it is scrolled, follows what happens, moves nothing under a hand.

import { useEffect, useMemo, useReducer } from "preact/hooks";
import { Problem, type Session } from "../api/session";
import { type Conversation, type Filter, mark, oneOf, pageOf } from "./conversations";
import * as lists from "./list";

const PAUSE = 700; // milliseconds between two looks at what is new
const PAUSE_AFTER_FAILURE = 5000;
const MOST_CHANGED = 20;

/** A list that follows its filter; one object for as long as a page shows it. */
export class LiveList {
  list = lists.nothing;
  error: unknown;
  /** Why more could not be loaded; what is loaded stays. */
  moreError: unknown;
  /** Mails that a search has read only in part. */
  partial = 0;
  /** How many new ones wait to be shown. */
  waiting = 0;
  /** Whether rows may move now: they may not under the reader's hand. */
  mayMove = () => true;
  onChange = () => {};
  #head: { items: Conversation[]; next: string | null } | undefined;
  #changed = new Set<string>();
  #loading = false;
  #looking = false;
  #pause = PAUSE;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastLook = 0;
  #stop = new AbortController();
  #sight = { from: 0, to: 0 };

  constructor(
    readonly session: Session,
    readonly filter: Filter,
  ) {}

  /** Begins, or begins again after an error. */
  async start(): Promise<void> {
    this.error = undefined;
    if (this.list.next === undefined) await this.more();
  }

  end(): void {
    this.#stop.abort();
    clearTimeout(this.#timer);
  }

  async more(): Promise<void> {
    if (this.#loading || this.list.next === null) return;
    await this.#load(async () => {
      const cursor = this.list.next ?? undefined;
      const page = await pageOf(this.session, this.filter, cursor, this.#stop.signal);
      this.partial = Math.max(this.partial, page.partial);
      this.list = lists.appended(this.list, page.items, page.next);
    });
    if (this.list.next && lists.lengthOf(this.list) === 0 && !this.moreError) await this.more();
    await this.see(this.#sight.from, this.#sight.to); // what came into sight meanwhile
  }

  /** Brings back what was given up, and gives up what is far from these places. */
  async see(from: number, to: number): Promise<void> {
    this.#sight = { from, to };
    while (!this.#loading && !this.moreError) {
      const gap = lists.missing(this.list, this.#sight.from, this.#sight.to);
      if (!gap) {
        this.list = lists.trimmed(this.list, this.#sight.from, this.#sight.to);
        return;
      }
      await this.#load(async () => {
        const page = await pageOf(this.session, this.filter, gap.cursor, this.#stop.signal);
        this.list = lists.refilled(this.list, gap.page, page.items);
      });
    }
  }

  async #load(work: () => Promise<void>): Promise<void> {
    this.#loading = true;
    this.moreError = undefined;
    try {
      await work();
    } catch (error) {
      if (this.#stop.signal.aborted) this.moreError = error;
      else if (this.list.pages.length === 0) this.error = error;
      else this.moreError = error;
    } finally {
      this.#loading = false;
    }
    this.onChange();
  }

  /** Something happened to a conversation, or, without an id, to any of them. */
  hint(id: string | undefined): void {
    if (id) this.#changed.add(id);
    if (this.#timer || this.#looking) return;
    const pause = Math.max(0, this.#lastLook + this.#pause - Date.now());
    this.#timer = setTimeout(() => void this.#look(), pause);
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    this.#looking = true;
    this.#lastLook = Date.now();
    const ids = [...this.#changed].slice(0, MOST_CHANGED);
    this.#changed.clear();
    try {
      const page = await pageOf(this.session, this.filter, undefined, this.#stop.signal);
      this.#pause = PAUSE;
      this.error = undefined;
      this.#head = page;
      const deep = ids.filter(
        (id) => lists.find(this.list, id) && !page.items.some((item) => item.id === id),
      );
      for (const id of deep) {
        const before = lists.find(this.list, id);
        const now = await oneOf(this.session, id);
        const moved = now && before && now.last_mail_at !== before.last_mail_at;
        if (!moved) this.list = lists.replaced(this.list, id, now);
      }
      this.waiting = lists.newIn(this.list, page.items);
      if (this.mayMove() || this.waiting === 0) this.show();
      else this.list = lists.refreshed(this.list, page.items);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      const isOver = error instanceof Problem && error.status < 500 && error.status !== 429;
      // What has changed is still to be shown, and is not announced a second time.
      this.#pause = isOver ? PAUSE : PAUSE_AFTER_FAILURE;
      if (!isOver) for (const id of ids) this.#changed.add(id);
    } finally {
      this.#looking = false;
    }
    this.onChange();
    if (this.#changed.size > 0 || this.#pause > PAUSE) this.hint(undefined);
  }

  /** Shows what waits. */
  show(): void {
    const head = this.#head;
    this.#head = undefined;
    this.waiting = 0;
    if (head) this.list = lists.merged(this.list, head.items, head.next, this.filter.unread);
    this.onChange();
  }

  /** Marks a conversation at once, and takes it back if that failed. */
  async mark(id: string, unread: boolean): Promise<void> {
    this.setUnread(id, unread);
    try {
      await mark(this.session, id, unread);
    } catch {
      this.setUnread(id, !unread);
    }
  }

  setUnread(id: string, unread: boolean): void {
    const item = lists.find(this.list, id);
    if (!item || item.unread === unread) return;
    this.list = lists.replaced(this.list, id, { ...item, unread });
    this.onChange();
  }

  readAll(): void {
    this.list = lists.changed(this.list, (item) => ({ ...item, unread: false }));
    this.onChange();
  }
}

/** Returns the list of a filter; another filter is another list. */
export function useList(session: Session, filter: Filter): LiveList {
  const [, render] = useReducer((round: number, _: undefined) => round + 1, 0);
  const live = useMemo(() => new LiveList(session, filter), [session, filter]);
  useEffect(() => {
    live.onChange = () => render(undefined);
    void live.start();
    const stop = session.events.listen((hint) => {
      const id = hint.data.conversation_id;
      if (hint.kind === "changed" || hint.kind === "refetch")
        live.hint(typeof id === "string" ? id : undefined);
    });
    return () => {
      live.onChange = () => {};
      stop();
      live.end();
    };
  }, [live, session]);
  return live;
}
