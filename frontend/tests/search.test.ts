import { expect, it } from "vitest";
import type { Session } from "../src/api/session";
import type { Conversation } from "../src/inbox/conversations";
import { holdersOf } from "../src/inbox/directory";
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

it("suggests addresses after an operator, even without a profile", () => {
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

it("asks the directory for a whole address, where the token allows it", async () => {
  const asked: string[] = [];
  const session = (...scopes: string[]) =>
    ({
      claims: async () => ({ scopes: new Set(scopes) }),
      api: {
        GET: async (_: string, { params }: { params: { query: { address: string } } }) => {
          asked.push(params.query.address);
          const people = [
            { person_id: "c9", kind: "candidate", name: "Zed", addresses: [] },
            { person_id: "u1", kind: "user", name: "Me", addresses: [] },
          ];
          return { data: { items: people }, response: new Response() };
        },
      },
    }) as unknown as Session;
  expect(await holdersOf(session("directory:read"), "offer zed@mail.example")).toEqual([
    { id: "c9", name: "Zed" },
  ]);
  expect(await holdersOf(session("directory:read"), "zed@")).toEqual([]);
  expect(await holdersOf(session("timeline:read"), "zed@mail.example")).toEqual([]);
  expect(asked).toEqual(["zed@mail.example"]);
});
