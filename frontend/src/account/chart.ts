// The numbers behind the chart: sums of a period, and how high each bar is.

import type { components } from "../api/timeline";

export type Day = components["schemas"]["DayOut"];

export interface Totals {
  attached: number;
  dismissed: number;
  quarantined: number;
  confirmations: number;
  reasons: [string, number][];
}

export function dismissedOf(day: Day): number {
  return Object.values(day.dismissed).reduce((sum, count) => sum + count, 0);
}

export function totalsOf(days: readonly Day[]): Totals {
  const reasons = new Map<string, number>();
  const totals = { attached: 0, dismissed: 0, quarantined: 0, confirmations: 0 };
  for (const day of days) {
    totals.attached += day.attached;
    totals.dismissed += dismissedOf(day);
    totals.quarantined += day.quarantined;
    totals.confirmations += day.confirmations;
    for (const [reason, count] of Object.entries(day.dismissed))
      reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  }
  return { ...totals, reasons: [...reasons].sort(([, a], [, b]) => b - a) };
}

/** Returns every day of a period, oldest first, those without mail as well. */
export function everyDay(days: readonly Day[], count: number, today: Date): Day[] {
  const known = new Map(days.map((day) => [day.day, day]));
  return Array.from({ length: count }, (_, index) => {
    const at = new Date(today);
    at.setUTCDate(at.getUTCDate() - (count - 1 - index));
    const day = at.toISOString().slice(0, 10);
    return known.get(day) ?? { day, attached: 0, dismissed: {}, confirmations: 0, quarantined: 0 };
  });
}

/** Returns a round number that no bar exceeds: 1, 2 or 5 times a power of ten, at least 4. */
export function ceilingOf(days: readonly Day[]): number {
  const most = Math.max(4, ...days.map((day) => day.attached + dismissedOf(day) + day.quarantined));
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 4, 5, 10].map((step) => step * power).find((step) => step >= most) ?? most;
}
