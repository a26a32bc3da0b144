// The account's settings, which apply to all its users.

import { useState } from "preact/hooks";
import { dataOf } from "../api/session";
import type { components } from "../api/timeline";
import { useSession } from "../shared/context";
import { Failure, Skeleton } from "../shared/state";
import { useFetched } from "../shared/use-fetched";
import { useAccountText } from "./texts";

type Body = components["schemas"]["SettingsBody"];

export function Settings({ changes }: { changes: boolean }) {
  const session = useSession();
  const text = useAccountText();
  const fetched = useFetched(
    async (signal) => dataOf(await session.api.GET("/v1/settings", { signal })),
    [session],
  );
  const [changed, setChanged] = useState<Body>();
  const [said, setSaid] = useState<"settings.saved" | "failed">();
  const now = changed ?? fetched.value;
  if (!now) {
    if (fetched.error) return <Failure error={fetched.error} retry={fetched.again} />;
    return <Skeleton rows={2} />;
  }
  const change = async (next: Body) => {
    setChanged(next);
    setSaid(undefined);
    try {
      setChanged(dataOf(await session.api.PUT("/v1/settings", { body: next })));
      setSaid("settings.saved");
    } catch {
      setChanged(now);
      setSaid("failed");
    }
  };
  return (
    <section class="card settings">
      {!changes && <p class="note">{text["settings.may-not"]}</p>}
      <fieldset disabled={!changes}>
        <legend>{text["settings.visibility"]}</legend>
        {(["team", "owner"] as const).map((value) => (
          <label key={value}>
            <input
              type="radio"
              name="visibility"
              checked={now.visibility === value}
              onChange={() => void change({ ...now, visibility: value })}
            />
            {text[`settings.visibility.${value}`]}
          </label>
        ))}
      </fieldset>
      <fieldset disabled={!changes}>
        <legend>{text["settings.quarantine"]}</legend>
        {(["off", "failed"] as const).map((value) => (
          <label key={value}>
            <input
              type="radio"
              name="quarantine"
              checked={now.quarantine === value}
              onChange={() => void change({ ...now, quarantine: value })}
            />
            {text[`settings.quarantine.${value}`]}
          </label>
        ))}
      </fieldset>
      <div role="status">
        {said && <p class={`note ${said === "failed" ? "danger" : "ok"}`}>{text[said]}</p>}
      </div>
    </section>
  );
}
