// A bar for each day: attached at the bottom, quarantined and dismissed on top.

import { useMemo } from "preact/hooks";
import { useLanguage } from "../i18n";
import { ceilingOf, type Day, dismissedOf, type Totals } from "./chart";
import { useAccountText } from "./texts";

const HEIGHT = 100;
const SLOT = 10;

export function Chart({ days, totals }: { days: readonly Day[]; totals: Totals }) {
  const text = useAccountText();
  const { number, day: named, code } = useLanguage();
  const short = useMemo(
    () => new Intl.DateTimeFormat(code, { day: "numeric", month: "short" }),
    [code],
  );
  const ceiling = ceilingOf(days);
  const width = days.length * SLOT;
  const at = (one: Day | undefined) => new Date(`${one?.day}T12:00:00`);
  const labels = [0, Math.floor((days.length - 1) / 2), days.length - 1];
  return (
    <figure class="chart">
      <div class="plot">
        <span class="axis">{number(ceiling)}</span>
        <span class="axis middle">{number(ceiling / 2)}</span>
        <svg
          viewBox={`0 0 ${width} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={text["activity.chart"](
            number(totals.attached),
            number(totals.dismissed),
            days.length,
          )}
        >
          {[0, 0.5].map((part) => (
            <path key={part} class="grid" d={`M0 ${part * HEIGHT}H${width}`} />
          ))}
          {days.map((day, index) => {
            const parts = [
              ["attached", day.attached],
              ["quarantined", day.quarantined],
              ["dismissed", dismissedOf(day)],
            ] as const;
            let top = HEIGHT;
            return (
              <g key={day.day} class="day">
                <title>
                  {`${named(at(day))}\n${parts
                    .map(([name, count]) => `${text[`activity.${name}`]}: ${number(count)}`)
                    .join("\n")}`}
                </title>
                <rect class="slot" x={index * SLOT} y="0" width={SLOT} height={HEIGHT} />
                {parts.map(([name, count]) => {
                  const height = (count / ceiling) * HEIGHT;
                  top -= height;
                  return (
                    <rect
                      key={name}
                      class={name}
                      x={index * SLOT + SLOT * 0.15}
                      y={top}
                      width={SLOT * 0.7}
                      height={height}
                    />
                  );
                })}
              </g>
            );
          })}
          <path class="ground" d={`M0 ${HEIGHT}H${width}`} />
        </svg>
      </div>
      <figcaption aria-hidden="true">
        {labels.map((index) => (
          <span key={index}>{short.format(at(days[index]))}</span>
        ))}
      </figcaption>
    </figure>
  );
}
