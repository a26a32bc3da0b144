import { describe, expect, it } from "vitest";
import type { Conversation } from "../src/inbox/conversations";
import * as lists from "../src/inbox/list";

function one(id: string, at = 0, unread = false): Conversation {
  return {
    id,
    subject: id,
    participants: [],
    profiles: [],
    last_mail_at: new Date(at * 1000).toISOString(),
    mail_count: 1,
    unread,
    snippet: "",
    has_attachments: false,
  };
}

const ids = (list: lists.List) => lists.held(list).map((item) => item.id);
const run = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => one(`c${from + at}`, 10_000 - from - at));

function ofPages(count: number, size = 50): lists.List {
  let list = lists.nothing;
  for (let page = 0; page < count; page++)
    list = lists.appended(list, run(page * size, size), `cursor ${page + 1}`);
  return list;
}

describe("a list of conversations", () => {
  it("grows page by page, and shows none twice", () => {
    const list = lists.appended(ofPages(1, 3), [...run(2, 1), ...run(3, 2)], null);
    expect(ids(list)).toEqual(["c0", "c1", "c2", "c3", "c4"]);
    expect(list.next).toBeNull();
  });

  it("keeps few pages, and brings back what was given up by its own cursor", () => {
    const long = lists.trimmed(ofPages(100), 4900, 4950);
    expect(lists.held(long).length).toBeLessThan(20 * 50);
    expect(lists.lengthOf(long)).toBe(5000);
    expect(lists.slice(long, 2000, 2002)).toEqual([undefined, undefined]);
    const gap = lists.missing(long, 2000, 2020);
    expect(gap).toEqual({ page: 40, cursor: "cursor 40" });
    const again = lists.refilled(long, 40, run(2000, 50));
    expect(lists.slice(again, 2000, 2001)[0]?.id).toBe("c2000");
    expect(lists.missing(again, 2000, 2020)).toBeUndefined();
  });

  it("never gives up its first page: what is new is merged into it", () => {
    const long = lists.trimmed(ofPages(100), 4900, 4950);
    expect(lists.slice(long, 0, 1)[0]?.id).toBe("c0");
  });

  it("has what is new first, and what moved up once", () => {
    const list = ofPages(2, 3);
    const head = [one("new", 20_000), one("c4", 19_000), one("c0", 10_000)];
    expect(lists.newIn(list, head)).toBe(2);
    const now = lists.merged(list, head, "x");
    expect(ids(now)).toEqual(["new", "c4", "c0", "c1", "c2", "c3", "c5"]);
    expect(now.next).toBe("cursor 2");
  });

  it("loses what is there no more", () => {
    const head = [one("c0", 10_000), one("c2", 9_998)];
    expect(ids(lists.merged(ofPages(1, 3), head, "x"))).toEqual(["c0", "c2"]);
  });

  it("begins anew when more is new than one page holds", () => {
    const head = run(900, 3);
    const now = lists.merged(ofPages(2, 3), head, "elsewhere");
    expect(ids(now)).toEqual(["c900", "c901", "c902"]);
    expect(now.next).toBe("elsewhere");
  });

  it("leaves what was just read where it stood, among the unread", () => {
    const list = lists.appended(
      lists.nothing,
      [one("a", 3, true), one("b", 2, true), one("c", 1, true)],
      null,
    );
    const head = [one("new", 9, true), one("a", 3, true), one("c", 1, true)];
    const now = lists.merged(list, head, null, true);
    expect(lists.held(now).map((item) => [item.id, item.unread])).toEqual([
      ["new", true],
      ["a", true],
      ["b", false],
      ["c", true],
    ]);
  });

  it("shows what changed inside of rows without moving any", () => {
    const list = ofPages(1, 3);
    const head = [one("new", 20_000), { ...one("c1", 9_999), unread: true }];
    const now = lists.refreshed(list, head);
    expect(ids(now)).toEqual(["c0", "c1", "c2"]);
    expect(lists.find(now, "c1")?.unread).toBe(true);
  });

  it("follows a conversation that was joined with another", () => {
    const list = ofPages(1, 3);
    expect(ids(lists.replaced(list, "c1", one("joined", 9_999)))).toEqual(["c0", "joined", "c2"]);
    expect(ids(lists.replaced(list, "c1", one("c2", 9_998)))).toEqual(["c0", "c2"]);
    expect(ids(lists.replaced(list, "c1", undefined))).toEqual(["c0", "c2"]);
  });
});
