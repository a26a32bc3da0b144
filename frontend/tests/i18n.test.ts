import { expect, it } from "vitest";
import { languageOf } from "../src/i18n";
import { de } from "../src/i18n/de";
import { account as germanAccount } from "../src/i18n/de/account";
import { setup as germanSetup } from "../src/i18n/de/setup";
import { en } from "../src/i18n/en";
import { account as englishAccount } from "../src/i18n/en/account";
import { setup as englishSetup } from "../src/i18n/en/setup";
import { formatsOf } from "../src/i18n/formats";

it("has the same texts in every language, none of them empty", () => {
  expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort());
  for (const text of [...Object.values(de), ...Object.values(en)])
    expect(typeof text === "function" || text.length > 0).toBe(true);
});

it("takes the first language that it knows", async () => {
  expect((await languageOf(["xx", "de-AT", "en"])).text["nav.inbox"]).toBe("Posteingang");
  expect((await languageOf(["xx"])).text["nav.inbox"]).toBe("Inbox");
});

it.each([
  [0, "0 bytes"],
  [999, "999 bytes"],
  [84_000, "84 kB"],
  [1_540_000, "1.5 MB"],
])("writes %i bytes as people say it", (count, said) => {
  expect(formatsOf("en").bytes(count)).toBe(said);
});

it("has the pages' own texts in every language, none of them empty but one", () => {
  for (const [one, other] of [
    [englishSetup, germanSetup],
    [englishAccount, germanAccount],
  ] as const) {
    expect(Object.keys(other).sort()).toEqual(Object.keys(one).sort());
    for (const [key, text] of [...Object.entries(one), ...Object.entries(other)])
      if (key !== "guide.automatic.unknown")
        expect(typeof text === "function" || text.length > 0).toBe(true);
  }
});
