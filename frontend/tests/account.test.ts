import { describe, expect, it } from "vitest";
import { ceilingOf, type Day, everyDay, totalsOf } from "../src/account/chart";
import { may, sectionsFor } from "../src/account/scopes";
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
  });
});

it.each([
  "/app/",
  "/app/setup",
  "/app/account",
  "/app/account/dead-letters",
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
