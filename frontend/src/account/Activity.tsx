// Filed and not kept, day by day.

import { useState } from "preact/hooks";
import { dataOf } from "../api/session";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { Empty, Failure, Skeleton } from "../shared/state";
import { useFetched } from "../shared/use-fetched";
import { Chart } from "./Chart";
import { type Day, dismissedOf, everyDay, totalsOf } from "./chart";
import { useAccountText, worded } from "./texts";

const PERIODS = [7, 30, 90];

export function Activity() {
  const session = useSession();
  const text = useAccountText();
  const { number } = useLanguage();
  const [period, setPeriod] = useState(30);
  const fetched = useFetched(
    async (signal) => {
      const today = new Date();
      const from = new Date(today);
      from.setUTCDate(from.getUTCDate() - (period - 1));
      const query = { from: from.toISOString().slice(0, 10), to: today.toISOString().slice(0, 10) };
      const { days } = dataOf(await session.api.GET("/v1/stats", { params: { query }, signal }));
      return everyDay(days, period, today);
    },
    [session, period],
  );
  const days = fetched.value;
  if (!days) {
    if (fetched.error) return <Failure error={fetched.error} retry={fetched.again} />;
    return <Skeleton rows={4} />;
  }
  const totals = totalsOf(days);
  const figures = [
    ["attached", totals.attached],
    ["dismissed", totals.dismissed],
    ...(totals.quarantined > 0 ? [["quarantined", totals.quarantined] as const] : []),
  ] as const;
  const nothing = totals.attached + totals.dismissed + totals.quarantined === 0;
  return (
    <section class="card" aria-labelledby="activity">
      <header>
        <h2 id="activity">{text["activity.title"]}</h2>
        {/* biome-ignore lint/a11y/useSemanticElements: three buttons, one of which is pressed */}
        <div class="segments" role="group" aria-label={text["activity.period"]}>
          {PERIODS.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === period}
              onClick={() => setPeriod(one)}
            >
              {text["activity.days"](one)}
            </button>
          ))}
        </div>
      </header>
      {nothing ? (
        <Empty icon="account" title={text["activity.none"]}>
          <p class="quiet">{text["activity.none.what"]}</p>
        </Empty>
      ) : (
        <>
          <dl class="figures">
            {figures.map(([name, count]) => (
              <div key={name} class={name} title={text[`activity.${name}.what`]}>
                <dt>{text[`activity.${name}`]}</dt>
                <dd>{number(count)}</dd>
              </div>
            ))}
          </dl>
          <Chart days={days} totals={totals} />
          {totals.reasons.length > 0 && (
            <div class="reasons">
              <h3>{text["reason.title"]}</h3>
              <ul>
                {totals.reasons.map(([reason, count]) => (
                  <li key={reason}>
                    <span>{worded(text, `reason.${reason}`, reason)}</span>
                    <b>{number(count)}</b>
                  </li>
                ))}
              </ul>
            </div>
          )}
          <Numbers days={days} />
        </>
      )}
    </section>
  );
}

function Numbers({ days }: { days: readonly Day[] }) {
  const text = useAccountText();
  const { number, day } = useLanguage();
  return (
    <details class="more">
      <summary>{text["activity.numbers"]}</summary>
      <div class="scrolled">
        <table>
          <thead>
            <tr>
              <th scope="col">{text["activity.day"]}</th>
              <th scope="col">{text["activity.attached"]}</th>
              <th scope="col">{text["activity.dismissed"]}</th>
              <th scope="col">{text["activity.quarantined"]}</th>
            </tr>
          </thead>
          <tbody>
            {[...days].reverse().map((one) => (
              <tr key={one.day}>
                <th scope="row">{day(new Date(`${one.day}T12:00:00`))}</th>
                <td>{number(one.attached)}</td>
                <td>{number(dismissedOf(one))}</td>
                <td>{number(one.quarantined)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
