import { describe, expect, it } from "vitest";
import { ceilingOf, type Day, everyDay, totalsOf } from "../src/account/chart";
import { type CompanyAddress, sorted, withoutUser } from "../src/account/company";
import { daysOf } from "../src/account/days";
import { isProfile, mergeable, type Person, refusalOf } from "../src/account/life";
import { may, sectionsFor } from "../src/account/scopes";
import { Problem } from "../src/api/session";
import { pathOf, placeOf, SECTIONS } from "../src/app/places";

const day = (named: string, attached: number, dismissed: Record<string, number> = {}): Day => ({
  day: named,
  attached,
  dismissed,
  confirmations: 0,
  quarantined: 0,
});

describe("the chart", () => {
  it("has every day, those without mail as well", () => {
    const days = everyDay([day("2026-11-27", 3)], 3, new Date("2026-11-28T01:00:00Z"));
    expect(days.map((one) => [one.day, one.attached])).toEqual([
      ["2026-11-26", 0],
      ["2026-11-27", 3],
      ["2026-11-28", 0],
    ]);
  });

  it("sums up, the most frequent reason first", () => {
    const days = [
      day("2026-11-27", 3, { internal: 1, no_match: 2 }),
      day("2026-11-28", 1, { no_match: 5 }),
    ];
    expect(totalsOf(days)).toMatchObject({
      attached: 4,
      dismissed: 8,
      reasons: [
        ["no_match", 7],
        ["internal", 1],
      ],
    });
  });

  it.each([
    [0, 4],
    [4, 4],
    [7, 10],
    [11, 20],
    [21, 40],
    [41, 50],
    [999, 1000],
    [1001, 2000],
  ])("ends above %i with %i", (most, ceiling) => {
    expect(ceilingOf([day("2026-11-28", most)])).toBe(ceiling);
  });
});

describe("the company's addresses", () => {
  const address = (state: string, made: string, until: string | null = null): CompanyAddress => ({
    address: `${state}-${made}`,
    scope: "account",
    person_id: null,
    state,
    key_id: "k1",
    created_at: `2026-11-${made}T00:00:00Z`,
    valid_until: until && `2026-11-${until}T00:00:00Z`,
  });
  const now = Date.parse("2026-11-28T12:00:00Z");

  it("are told apart by what they are good for", () => {
    const items = [
      address("revoked", "01"),
      address("grace", "20", "29"),
      address("active", "25"),
      address("grace", "10", "28"),
      address("grace", "15", "30"),
    ];
    const { active, grace, revoked } = sorted(items, now);
    expect(active?.address).toBe("active-25");
    expect(grace.map((one) => one.address)).toEqual(["grace-15", "grace-20"]);
    expect(revoked.map((one) => one.address)).toEqual(["grace-10", "revoked-01"]);
  });

  it("may be none", () => {
    expect(sorted([], now)).toEqual({ active: undefined, grace: [], revoked: [] });
  });

  it("count the mail that had nobody of the team in it", () => {
    const days = [day("2026-11-27", 1, { no_user: 2, no_match: 9 }), day("2026-11-28", 1)];
    expect(withoutUser(days)).toBe(2);
  });
});

describe("scopes", () => {
  it("read what they may write", () => {
    expect(may(new Set(["timeline:write"]), "timeline:read")).toBe(true);
    expect(may(new Set(["timeline:read"]), "timeline:write")).toBe(false);
    expect(may(new Set(["timeline:read"]), "ops")).toBe(false);
  });

  it("show the parts that they allow", () => {
    expect(sectionsFor(new Set(["timeline:read"]), SECTIONS)).toEqual([
      "activity",
      "quarantine",
      "settings",
    ]);
    expect(sectionsFor(new Set(["ops"]), SECTIONS)).toEqual(["dead-letters"]);
    expect(sectionsFor(new Set(["account:write"]), SECTIONS)).toEqual(["company", "audit"]);
    expect(sectionsFor(new Set(["account:read"]), SECTIONS)).toEqual(["audit"]);
  });
});

describe("a profile's life", () => {
  const person = (person_id: string, kind: Person["kind"]): Person => ({
    person_id,
    kind,
    name: "",
    addresses: [],
  });

  it("is that of candidates and contacts", () => {
    const kinds = ["candidate", "contact", "user", "guest", "vendor"] as const;
    const profiles = kinds.filter((kind) => isProfile(person("x", kind)));
    expect(profiles).toEqual(["candidate", "contact"]);
  });

  it("is merged into another profile only", () => {
    const merged = person("c1", "candidate");
    expect(mergeable(person("k1", "contact"), merged)).toBe(true);
    expect(mergeable(person("u1", "user"), merged)).toBe(false);
    expect(mergeable(merged, merged)).toBe(false);
  });

  it("says why it was refused, as far as there are words for it", () => {
    expect(refusalOf(new Problem(409, "", "merged_already"))).toBe("merged_already");
    expect(refusalOf(new Problem(409, "", "something_new"))).toBe("failed");
    expect(refusalOf(new Error())).toBe("failed");
  });
});

it.each([
  ["0", 0],
  [" 30 ", 30],
  ["31", undefined],
  ["-1", undefined],
  ["1.5", undefined],
  ["1e1", undefined],
  ["", undefined],
])("takes a number of days as a person types it: %j", (typed, days) => {
  expect(daysOf(typed)).toBe(days);
});

it.each([
  "/app/",
  "/app/setup",
  "/app/account",
  "/app/account/dead-letters",
  "/app/account/audit",
  "/app/people/c%2F1",
  `/app/conversations/${"a2".repeat(16)}`,
])("leads to a place and back: %s", (path) => {
  expect(pathOf(placeOf(path))).toBe(path);
});

it.each(["/app/nowhere", "/app/conversations/x", "/app/people/", "/app/%E0%A4%A"])(
  "leads to the inbox, if it leads nowhere: %s",
  (path) => {
    expect(pathOf(placeOf(path))).toBe("/app/");
  },
);
