// What a reader sees or hears comes from the catalogues, so that every language has all of it.

import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const SOURCES = new URL("../src/", import.meta.url);
const SPOKEN = /\b(?:aria-label|title|placeholder|alt)="(?!person=|[^"]*\.example")[^"]*[A-Za-z]/;
const WRITTEN = />\s*([^<>{}=;()&|?:]*[A-Za-z]{2}[^<>{}=;()&|?:]*)\s*<\//g;

const views = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".tsx"),
);

it("finds what a view would write itself", () => {
  expect("<p>Not translated</p>".match(WRITTEN)).not.toBeNull();
  expect('<button title="Close">').toMatch(SPOKEN);
  expect('<p class="quiet">{text["state.loading"]}</p>'.match(WRITTEN)).toBeNull();
  expect(views.length).toBeGreaterThan(30);
});

it.each(views)("%s writes no text of its own", (name) => {
  const code = readFileSync(new URL(name, SOURCES), "utf8");
  expect(code).not.toMatch(SPOKEN);
  expect([...code.matchAll(WRITTEN)].map((found) => found[1])).toEqual([]);
});
