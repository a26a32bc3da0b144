import { expect, it } from "vitest";
import type { Conversation } from "../src/inbox/conversations";
import { completed, suggestionsFor, withOperator } from "../src/inbox/search";

const known = [
  {
    profiles: [{ person_id: "c1", kind: "candidate", name: "Zoë Lindström" }],
    participants: [
      { name: "Zoë Lindström", address: "zoe@mail.example" },
      { name: "", address: "zora@client.example" },
    ],
  },
] as unknown as Conversation[];

it("suggests profiles by the start of any of their names, accents or not", () => {
  expect(suggestionsFor("offer zoe", known)).toContainEqual({ name: "Zoë Lindström", id: "c1" });
  expect(suggestionsFor("lind", known).map((one) => one.id)).toEqual(["c1"]);
});

it("suggests addresses after an operator, and those of nobody's profile", () => {
  expect(suggestionsFor("from:zo", known).map((one) => one.address)).toEqual([
    "zoe@mail.example",
    "zora@client.example",
  ]);
  expect(suggestionsFor("zora", known).map((one) => one.address)).toEqual(["zora@client.example"]);
});

it("suggests nothing for a letter, or inside of a phrase's end", () => {
  expect(suggestionsFor("z", known)).toEqual([]);
  expect(suggestionsFor('"zo"', known)).toEqual([]);
});

it("replaces the last word alone", () => {
  expect(completed("offer to:zo", { name: "Z", address: "zoe@mail.example" })).toBe(
    "offer to:zoe@mail.example ",
  );
  expect(completed("offer zo", { name: "Z", id: "c1" })).toBe("offer");
});

it("appends an operator after a space", () => {
  expect(withOperator("offer", "from:")).toBe("offer from:");
  expect(withOperator("", "from:")).toBe("from:");
});
