import { expect, it, vi } from "vitest";
import type { Session } from "../src/api/session";
import { type Conversation, everything } from "../src/inbox/conversations";
import * as lists from "../src/inbox/list";
import { LiveList } from "../src/inbox/use-list";

const LONG = 5000;

function one(number: number, unread = false): Conversation {
  const at = new Date(2026, 0, 1).getTime() - number * 60_000;
  return {
    id: `c${number}`,
    subject: "",
    participants: [],
    profiles: [],
    last_mail_at: new Date(at).toISOString(),
    mail_count: 1,
    unread,
    snippet: "",
    has_attachments: false,
  };
}

/** A session with so many conversations, numbered from `first`; it notes what it is asked for. */
function fake(state: {
  first: number;
  fails?: boolean;
  status?: number;
  asked: string[];
}): Session {
  const GET = async (
    path: string,
    { params }: { params: { query: { cursor?: string; limit: number } } },
  ) => {
    state.asked.push(`${path} ${params.query.cursor ?? ""}`);
    if (state.fails)
      return { error: {}, response: new Response("", { status: state.status ?? 503 }) };
    const start = Number(params.query.cursor ?? state.first);
    const end = Math.min(start + params.query.limit, LONG);
    const items = Array.from({ length: end - start }, (_, at) => one(start + at));
    const data = { items, next_cursor: end < LONG ? String(end) : null, partial: 0 };
    return { data, response: new Response() };
  };
  return { api: { GET } } as unknown as Session;
}

const first = (live: LiveList) => lists.slice(live.list, 0, 1)[0]?.id;

it("brings back all that is in sight, over the edge of two pages too", async () => {
  const state = { first: 0, asked: [] as string[] };
  const live = new LiveList(fake(state), everything);
  await live.start();
  while (live.list.next) await live.more();
  await live.see(4900, 4920);
  expect(lists.slice(live.list, 2000, 2001)).toEqual([undefined]);
  await live.see(1990, 2010);
  expect(lists.slice(live.list, 1990, 2010).every((item) => item !== undefined)).toBe(true);
});

it("shows what is new at once where rows may move, and lets it wait where they may not", async () => {
  vi.useFakeTimers();
  const state = { first: 3, asked: [] as string[] };
  const live = new LiveList(fake(state), everything);
  await live.start();
  expect(first(live)).toBe("c3");

  state.first = 2;
  live.hint("c2");
  await vi.runAllTimersAsync();
  expect([first(live), live.waiting]).toEqual(["c2", 0]);

  live.mayMove = () => false;
  state.first = 0;
  live.hint("c1");
  live.hint("c0");
  await vi.runAllTimersAsync();
  expect([first(live), live.waiting]).toEqual(["c2", 2]);
  live.show();
  expect([first(live), live.waiting]).toEqual(["c0", 0]);
  vi.useRealTimers();
});

it("asks once for many hints", async () => {
  vi.useFakeTimers();
  const state = { first: 0, asked: [] as string[] };
  const live = new LiveList(fake(state), everything);
  await live.start();
  for (let number = 0; number < 100; number++) live.hint(`new ${number}`);
  await vi.runAllTimersAsync();
  expect(state.asked.length).toBe(2);
  vi.useRealTimers();
});

it("looks again after a look that failed, without another hint", async () => {
  vi.useFakeTimers();
  const state = { first: 1, fails: false, asked: [] as string[] };
  const live = new LiveList(fake(state), everything);
  await live.start();
  state.first = 0;
  state.fails = true;
  live.hint("c0");
  await vi.advanceTimersByTimeAsync(1000);
  expect(first(live)).toBe("c1");
  state.fails = false;
  await vi.runAllTimersAsync();
  expect(first(live)).toBe("c0");
  const { length } = state.asked;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(state.asked.length).toBe(length);
  vi.useRealTimers();
});

it("does not look again when it may not", async () => {
  vi.useFakeTimers();
  const state = { first: 1, fails: false, status: 403, asked: [] as string[] };
  const live = new LiveList(fake(state), everything);
  await live.start();
  state.fails = true;
  live.hint("c0");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(state.asked.length).toBe(2);
  vi.useRealTimers();
});

it("keeps what is there when more cannot be loaded, and goes on when asked", async () => {
  const state = { first: 0, fails: false, asked: [] as string[] };
  const live = new LiveList(fake(state), everything);
  await live.start();
  state.fails = true;
  await live.more();
  expect([lists.lengthOf(live.list), live.error]).toEqual([50, undefined]);
  expect(live.moreError).toBeDefined();
  state.fails = false;
  await live.more();
  expect([lists.lengthOf(live.list), live.moreError]).toEqual([100, undefined]);
});
