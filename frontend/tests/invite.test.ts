import { expect, it } from "vitest";
import { type Invite, timesOf } from "../src/conversation/invite";
import { language } from "../src/i18n";
import { en } from "../src/i18n/en";

const english = language("en-GB", en);
const invite = {
  method: "request",
  status: "confirmed",
  all_day: false,
  start: "2026-12-01T10:00:00-05:00",
  end: "2026-12-01T11:00:00-05:00",
  zone: "America/New_York",
} as unknown as Invite;

it("says the reader's time first, and that of who wrote it beside it", () => {
  const times = timesOf(invite, english, "Europe/Berlin");
  expect(times?.time).toBe("16:00 – 17:00");
  expect(times?.theirs).toBe("10:00 – 11:00 (America/New_York)");
});

it("places an unknown time zone by its offset", () => {
  const odd = { ...invite, zone: "Customised/1" };
  expect(timesOf(odd, english, "Europe/Berlin")?.theirs).toBe("10:00 – 11:00 (Customised/1)");
});

it("leaves a time without an offset as it was written", () => {
  const floating = { ...invite, start: "2026-12-01T10:00:00", end: null, zone: "Mars" };
  expect(timesOf(floating, english)?.time).toBe("10:00");
  expect(timesOf(floating, english)?.theirs).toBe("10:00 (Mars)");
});

it("says whole days without a time, the last one included", () => {
  const days = { ...invite, all_day: true, start: "2026-12-01", end: "2026-12-03", zone: null };
  const times = timesOf(days, english);
  expect(times?.time).toBe("");
  expect(times?.day).toMatch(/1 December.*–.*2 December/);
});

it("shows nothing for what is no time", () => {
  expect(timesOf({ ...invite, start: null }, english)).toBeUndefined();
});
