// The whole company's mail: the account's own address, whose mail it captures, how to send it there.

import { useState } from "preact/hooks";
import { dataOf } from "../api/session";
import { useLanguage } from "../i18n";
import { CopyButton } from "../setup/CopyButton";
import { Rotation } from "../setup/Rotation";
import { useSession } from "../shared/context";
import { Failure, Skeleton } from "../shared/state";
import { useFetched } from "../shared/use-fetched";
import { CompanyGuides } from "./CompanyGuides";
import { addressesOf, type CompanyAddress, make, sorted, switchOff, withoutUser } from "./company";
import { useAccountText } from "./texts";

export function Company({ counts }: { counts: boolean }) {
  const session = useSession();
  const text = useAccountText();
  const { moment } = useLanguage();
  const fetched = useFetched((signal) => addressesOf(session, signal), [session]);
  const [problem, setProblem] = useState(false);
  const [off, setOff] = useState(false);
  if (!fetched.value) {
    if (fetched.error) return <Failure error={fetched.error} retry={fetched.again} />;
    return <Skeleton rows={3} />;
  }
  const { active, grace, revoked } = sorted(fetched.value, Date.now());
  const attempt = (act: () => Promise<void>) => {
    setProblem(false);
    setOff(false);
    return act().then(fetched.again, () => setProblem(true));
  };
  return (
    <>
      <section class="card company" aria-labelledby="company">
        <header>
          <h2 id="company">{text["company.title"]}</h2>
          <span class={`badge ${active ? "ok" : ""}`} role="status">
            {text[active ? "company.state.active" : "company.state.none"]}
          </span>
        </header>
        <p class="quiet">{text["company.what"]}</p>
        {active ? (
          <div class="address">
            <code>{active.address}</code>
            <span class="actions">
              <CopyButton value={active.address} />
              <span class="quiet small">
                {text["company.since"](moment(new Date(active.created_at)))}
              </span>
            </span>
          </div>
        ) : (
          <p class="actions">
            <button
              type="button"
              class="button primary"
              onClick={() => void attempt(() => make(session))}
            >
              {text["company.make"]}
            </button>
          </p>
        )}
        {grace.map((one) => (
          <p key={one.address} class="quiet small">
            {text["company.grace"](moment(new Date(one.valid_until ?? "")))}{" "}
            <code>{one.address}</code>
          </p>
        ))}
        <div role="status">
          {off && !active && <p class="note ok">{text["company.off.done"]}</p>}
        </div>
        {problem && (
          <p class="note danger" role="alert">
            {text.failed}
          </p>
        )}
        <Shares counts={counts && active !== undefined} />
        {revoked.length > 0 && (
          <details class="more">
            <summary>{text["company.earlier"](revoked.length)}</summary>
            <ul class="earlier-addresses">
              {revoked.map((one) => (
                <li key={one.address}>
                  <code>{one.address}</code>{" "}
                  <span class="quiet">
                    {text["company.made"](moment(new Date(one.created_at)))}
                  </span>
                </li>
              ))}
            </ul>
          </details>
        )}
      </section>
      {active && <CompanyGuides address={active.address} />}
      {active && (
        <div class="extras">
          <Rotation
            address={active.address}
            again={fetched.again}
            words={{
              title: text["company.rotate"],
              what: text["company.rotate.what"],
              ask: text["company.rotate.ask"],
            }}
          />
          <SwitchOff
            address={active}
            act={() =>
              attempt(async () => {
                await switchOff(session, active.address);
                setOff(true);
              })
            }
          />
        </div>
      )}
    </>
  );
}

const PERIOD = 30; // days

/** Whose mail it is, and how much belonged to no one: people may be missing in the directory. */
function Shares({ counts }: { counts: boolean }) {
  const session = useSession();
  const text = useAccountText();
  const { number } = useLanguage();
  const { value: nobodys = 0 } = useFetched(
    async (signal) => {
      if (!counts) return 0;
      const from = new Date(Date.now() - (PERIOD - 1) * 24 * 3600 * 1000);
      const query = { from: from.toISOString().slice(0, 10) };
      const { days } = dataOf(await session.api.GET("/v1/stats", { params: { query }, signal }));
      return withoutUser(days);
    },
    [session, counts],
  );
  return (
    <>
      <div>
        <h3>{text["company.shares"]}</h3>
        <ul class="bullets">
          <li>{text["company.shares.all"]}</li>
          <li>{text["company.shares.halves"]}</li>
          <li>{text["company.shares.mailbox"]}</li>
          <li>{text["company.shares.bcc"]}</li>
        </ul>
      </div>
      {nobodys > 0 && <p class="note warn">{text["company.nobodys"](number(nobodys), PERIOD)}</p>}
    </>
  );
}

function SwitchOff({ address, act }: { address: CompanyAddress; act: () => Promise<void> }) {
  const text = useAccountText();
  const [asked, setAsked] = useState<string>();
  const [busy, setBusy] = useState(false);
  return (
    <section class="extra" aria-labelledby="switch-off">
      <h2 id="switch-off">{text["company.off"]}</h2>
      <p class="quiet">{text["company.off.what"]}</p>
      {asked === address.address ? (
        <div class="note warn" role="alert">
          <span>{text["company.off.ask"]}</span>
          <span class="actions">
            <button
              type="button"
              class="button danger"
              disabled={busy}
              onClick={() => {
                setBusy(true);
                void act().then(() => setBusy(false));
              }}
            >
              {text["company.off.yes"]}
            </button>
            <button type="button" class="button" onClick={() => setAsked(undefined)}>
              {text.cancel}
            </button>
          </span>
        </div>
      ) : (
        <p class="actions">
          <button type="button" class="button danger" onClick={() => setAsked(address.address)}>
            {text["company.off.act"]}
          </button>
        </p>
      )}
    </section>
  );
}
