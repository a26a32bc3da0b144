import { expect, it } from "vitest";
import { blocksOf, partsOf, spansOf } from "../src/conversation/plain-text";

it("shows what a mail adds, and folds what follows", () => {
  expect(partsOf({ text: "Yes.\n\n> Really?", new_text: "Yes." })).toEqual({
    shown: "Yes.",
    rest: "> Really?",
    whole: false,
  });
});

it("folds nothing where a mail only adds", () => {
  expect(partsOf({ text: "Yes.\n", new_text: "Yes." }).rest).toBe("");
  expect(partsOf({ text: "> all quoted", new_text: "" }).shown).toBe("> all quoted");
});

it("shows the whole where the answers stand between the quotes", () => {
  const mail = { text: "> a\nyes\n> b\nno", new_text: "yes\nno" };
  expect(partsOf(mail)).toEqual({ shown: "yes\nno", rest: mail.text, whole: true });
});

it("groups lines by how deep they are quoted", () => {
  expect(blocksOf("a\n> b\n> c\n>> d\ne")).toEqual([
    { text: "a", depth: 0 },
    { text: "b\nc", depth: 1 },
    { text: "d", depth: 2 },
    { text: "e", depth: 0 },
  ]);
});

it.each([
  ["see https://a.example/x?y=1.", "https://a.example/x?y=1"],
  ["(https://a.example/b)", "https://a.example/b"],
  ["https://en.example/wiki/A_(b)", "https://en.example/wiki/A_(b)"],
  ["<https://a.example>", "https://a.example"],
])("finds the link in %s", (text, link) => {
  expect(spansOf(text).find((span) => span.href)?.href).toBe(link);
  expect(
    spansOf(text)
      .map((span) => span.text)
      .join(""),
  ).toBe(text);
});

it("makes no link of what a browser might run", () => {
  expect(spansOf("javascript:alert(1) data:text/html,x").some((span) => span.href)).toBe(false);
  expect(spansOf("write to a.b@c.example!")[1]).toEqual({
    text: "a.b@c.example",
    href: "mailto:a.b@c.example",
  });
});
