// Dates, numbers and lists as a language writes them. Formatters are costly: each is made once.

export interface Formats {
  /** The time of a moment today, else its day. */
  date: (moment: Date) => string;
  /** Day, month, year and time. */
  moment: (moment: Date) => string;
  time: (moment: Date, zone?: string) => string;
  /** A day with its weekday; with its year, if that is another one. */
  day: (moment: Date) => string;
  bytes: (count: number) => string;
  number: (count: number) => string;
  list: (names: readonly string[]) => string;
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

export function formatsOf(code: string): Formats {
  const once = <T>(make: () => T) => {
    let made: T | undefined;
    return () => {
      made ??= make();
      return made;
    };
  };
  const dates = (options: Intl.DateTimeFormatOptions) =>
    once(() => new Intl.DateTimeFormat(code, options));
  const time = dates({ hour: "numeric", minute: "2-digit" });
  const short = dates({ day: "numeric", month: "short" });
  const shortWithYear = dates({ day: "numeric", month: "short", year: "numeric" });
  const weekday = dates({ weekday: "long", day: "numeric", month: "long" });
  const weekdayWithYear = dates({
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
  });
  const moment = dates({ dateStyle: "medium", timeStyle: "short" });
  const number = once(() => new Intl.NumberFormat(code));
  const list = once(() => new Intl.ListFormat(code, { type: "conjunction" }));
  return {
    date(at) {
      const now = new Date();
      if (at.toDateString() === now.toDateString()) return time().format(at);
      return (at.getFullYear() === now.getFullYear() ? short() : shortWithYear()).format(at);
    },
    moment: (at) => moment().format(at),
    time(at, zone) {
      if (!zone) return time().format(at);
      const options = { hour: "numeric", minute: "2-digit", timeZone: zone } as const;
      return new Intl.DateTimeFormat(code, options).format(at);
    },
    day(at) {
      const sameYear = at.getFullYear() === new Date().getFullYear();
      return (sameYear ? weekday() : weekdayWithYear()).format(at);
    },
    bytes(count) {
      const power = count < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(count) / 3));
      const digits = power > 0 && count / 1000 ** power < 10 ? 1 : 0;
      return new Intl.NumberFormat(code, {
        style: "unit",
        unit: UNITS[power] ?? "byte",
        unitDisplay: power === 0 ? "long" : "short",
        maximumFractionDigits: digits,
      }).format(count / 1000 ** power);
    },
    number: (count) => number().format(count),
    list: (names) => list().format(names),
  };
}
