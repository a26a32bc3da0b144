// A profile's mails by day, and which of them are shown. Pure.

import type { Mail } from "../conversation/mails";

export interface TimelineFilter {
  direction: "all" | "inbound" | "outbound";
  attachments: boolean;
  written: boolean;
}

export const unfiltered: TimelineFilter = { direction: "all", attachments: false, written: false };

export function isShown(mail: Mail, filter: TimelineFilter): boolean {
  return (
    (filter.direction === "all" || mail.direction === filter.direction) &&
    (!filter.attachments || mail.attachments.length > 0) &&
    (!filter.written || mail.auto === null)
  );
}

export interface Day {
  /** As the reader's calendar has it. */
  key: string;
  moment: Date;
  mails: Mail[];
}

/** Groups mails, newest first, by the reader's days. */
export function daysOf(mails: readonly Mail[]): Day[] {
  const days: Day[] = [];
  for (const mail of mails) {
    const moment = new Date(mail.date);
    const key = moment.toDateString();
    const last = days.at(-1);
    if (last?.key === key) last.mails.push(mail);
    else days.push({ key, moment, mails: [mail] });
  }
  return days;
}

/** Returns the roles in which a person takes part in a mail, each once. */
export function rolesOf(mail: Mail, person: string) {
  const roles = mail.matches.filter((match) => match.person_id === person).map(({ role }) => role);
  return [...new Set(roles)];
}
