// When an event is: in the reader's time zone, and in the writer's if that differs. Pure.

import type { components } from "../api/timeline";
import type { Language } from "../i18n";

export type Invite = components["schemas"]["Invite"];

export interface Times {
  day: string;
  /** Empty for whole days. */
  time: string;
  /** The time as written, with its zone; empty where it is the same. */
  theirs: string;
  moment: Date;
}

const HAS_OFFSET = /(?:Z|[+-]\d\d:?\d\d)$/;
const OFFSET = /([+-])(\d\d):?(\d\d)$/;
const DAY = 86_400_000;

export function timesOf(invite: Invite, language: Language, zone?: string): Times | undefined {
  if (!invite.start) return undefined;
  const start = localOf(invite.start);
  if (Number.isNaN(start.getTime())) return undefined;
  const end = invite.end ? localOf(invite.end) : undefined;
  if (invite.all_day) {
    const last = end ? new Date(end.getTime() - DAY) : start;
    const days =
      last > start ? `${language.day(start)} – ${language.day(last)}` : language.day(start);
    return { day: days, time: "", theirs: "", moment: start };
  }
  const range = (format: (moment: Date) => string) =>
    end ? `${format(start)} – ${format(end)}` : format(start);
  const time = range((moment) => language.time(moment, zone));
  const theirs = theirsOf(invite, start, range, language, time);
  return { day: language.day(start), time, theirs, moment: start };
}

function theirsOf(
  invite: Invite,
  start: Date,
  range: (format: (moment: Date) => string) => string,
  language: Language,
  mine: string,
): string {
  if (!HAS_OFFSET.test(invite.start ?? "")) return invite.zone ? `${mine} (${invite.zone})` : "";
  const zone = zoneOf(invite.zone);
  const shift = minutesOf(invite.start ?? "");
  const theirs = zone
    ? range((moment) => language.time(moment, zone))
    : range((moment) => language.time(new Date(moment.getTime() + shift * 60_000), "UTC"));
  return theirs === mine && -start.getTimezoneOffset() === shift
    ? ""
    : `${theirs} (${invite.zone ?? offsetOf(shift)})`;
}

/** A time without an offset is the reader's own, and so is a day. */
function localOf(written: string): Date {
  return new Date(written.length === 10 ? `${written}T00:00:00` : written);
}

function zoneOf(name: string | null | undefined): string | undefined {
  if (!name) return undefined;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

function minutesOf(written: string): number {
  const found = OFFSET.exec(written);
  if (!found) return 0;
  const minutes = Number(found[2]) * 60 + Number(found[3]);
  return found[1] === "-" ? -minutes : minutes;
}

function offsetOf(minutes: number): string {
  const size = Math.abs(minutes);
  const two = (value: number) => String(value).padStart(2, "0");
  return `UTC${minutes < 0 ? "−" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
