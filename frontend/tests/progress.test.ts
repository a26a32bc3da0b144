import { describe, expect, it } from "vitest";
import {
  doubtOf,
  entryOf,
  filled,
  halfOf,
  hostOf,
  isDone,
  missingHalf,
  questionsOf,
} from "../src/setup/progress";
import type { Confirmation, Half, Setup } from "../src/setup/shapes";

const NOW = Date.parse("2026-11-28T12:00:00Z");
const question = (at: string): Confirmation => ({
  provider: "gmail",
  requested_by: "u@mail.example",
  code: "123456789",
  link: null,
  capture_address: "x@in.example",
  at,
  expires_at: at,
  doubtful: false,
  authentication: null,
});
const setup = (more: Partial<Setup> = {}): Setup => ({
  capture_addresses: [],
  confirmations: [],
  ...more,
});

describe("a half", () => {
  it("is what the API says of it", () => {
    const halves = { sent: { state: "working" }, received: { state: "silent" } } as const;
    expect(halfOf(setup({ halves }), "received", NOW)?.state).toBe("silent");
  });

  it("waits for an answer where the API tells of questions alone", () => {
    const asked = setup({ confirmations: [question("2026-11-28T11:00:00Z")] });
    expect(halfOf(asked, "received", NOW)?.state).toBe("awaiting_confirmation");
    expect(halfOf(asked, "sent", NOW)).toBeUndefined();
    expect(halfOf(setup(), "received", NOW)).toBeUndefined();
  });

  it("is done when both are, and never where nothing is told", () => {
    const working = { state: "working" } as const;
    expect(isDone(setup({ halves: { sent: working, received: working } }))).toBe(true);
    expect(isDone(setup({ halves: { sent: working, received: { state: "silent" } } }))).toBe(false);
    expect(isDone(setup())).toBe(false);
  });

  it("tells which direction is still to be tried", () => {
    const working = { state: "working" } as const;
    const nothing = { state: "nothing_yet" } as const;
    const missing = (sent: Half, received: Half) =>
      missingHalf(setup({ halves: { sent, received } }));
    expect(missing(working, working)).toBeUndefined();
    expect(missing(nothing, working)).toBe("sent");
    expect(missing(working, nothing)).toBe("received");
    expect(missing(nothing, nothing)).toBe("both");
    expect(missingHalf(setup())).toBe("both");
  });
});

describe("a question", () => {
  it("can be answered for a day", () => {
    expect(
      questionsOf(setup({ confirmations: [question("2026-11-27T12:00:01Z")] }), NOW),
    ).toHaveLength(1);
    expect(questionsOf(setup({ confirmations: [question("2026-11-27T11:59:59Z")] }), NOW)).toEqual(
      [],
    );
  });

  it("is over once mail has come after it", () => {
    const confirmations = [question("2026-11-28T11:00:00Z")];
    const seen = (at: string) => ({
      sent: { state: "nothing_yet" as const },
      received: { state: "working" as const, last_seen_at: at },
    });
    const after = setup({ confirmations, halves: seen("2026-11-28T11:30:00Z") });
    const before = setup({ confirmations, halves: seen("2026-11-28T10:30:00Z") });
    expect(questionsOf(after, NOW)).toEqual([]);
    expect(questionsOf(before, NOW)).toHaveLength(1);
  });

  it("of one more mailbox stays, since mail of another says nothing of it", () => {
    const received = {
      state: "working" as const,
      first_seen_at: "2026-11-01T09:00:00Z",
      last_seen_at: "2026-11-28T11:59:00Z",
    };
    const halves = { sent: { state: "working" as const }, received };
    const confirmations = [4, 3, 2, 1].map((hour) => question(`2026-11-28T0${hour}:00:00Z`));
    const shown = questionsOf(setup({ confirmations, halves }), NOW);
    expect(shown).toEqual(confirmations.slice(0, 3));
  });
});

it.each([
  ["https://mail.example/x?y", "mail.example"],
  ["http://mail.example/", undefined],
  ["javascript:alert(1)", undefined],
  ["mail.example", undefined],
])("opens of links only those by https: %s", (link, host) => {
  expect(hostOf(link)).toBe(host);
});

it("puts values into a guide's text, and words in place of what the user does not have", () => {
  const words = { capture_address: "your address", account_capture_address: "the company’s" };
  const text = "Type {capture_address}, then {account_capture_address} {x}.";
  expect(filled(text, { capture_address: "a@b" }, words)).toEqual([
    { text: "Type ", kind: "text" },
    { text: "a@b", kind: "value" },
    { text: ", then ", kind: "text" },
    { text: "the company’s", kind: "missing" },
    { text: " ", kind: "text" },
    { text: "{x}", kind: "missing" },
    { text: ".", kind: "text" },
  ]);
});

const asked = { authentication: null, doubtful: false, requested_by: "Me@Agency.example" };
const failed = { verdict: "failed", method: null, domain: "x", reason: "altered" } as const;

it.each([
  ["one's own, proved", asked, ["me@agency.example"], undefined],
  ["not proved", { ...asked, doubtful: true }, ["me@agency.example"], "unproved"],
  ["of a mailbox of somebody else", asked, ["you@agency.example"], "stranger"],
  ["of somebody without addresses", asked, [], undefined],
  ["of one of more mailboxes than are told", asked, Array(20).fill("x@y.example"), undefined],
  ["without a mailbox", { ...asked, requested_by: null }, ["you@agency.example"], undefined],
  ["forged", { ...asked, authentication: failed }, ["me@agency.example"], "failed"],
] as const)("says what speaks against a question: %s", (_, question, mailboxes, doubt) => {
  expect(doubtOf(question, mailboxes)).toBe(doubt);
});

it.each([
  ["Dr.Weber@Praxis.example ", { addresses: "dr.weber@praxis.example" }],
  ["@family.example", { domains: "family.example" }],
  ["family.example", { domains: "family.example" }],
  ["müller.example", { domains: "müller.example" }],
  ["family", undefined],
  ["a b@family.example", undefined],
  ["@", undefined],
])("takes addresses and domains, and nothing else: %s", (typed, entry) => {
  expect(entryOf(typed)).toEqual(entry);
});
