// What somebody typed for a number of days.

export const MOST_DAYS = 30;

/** Returns a whole number from 0 to 30; nothing for anything else. */
export function daysOf(typed: string): number | undefined {
  const written = typed.trim();
  if (!/^\d{1,2}$/.test(written)) return undefined;
  const days = Number(written);
  return days <= MOST_DAYS ? days : undefined;
}
