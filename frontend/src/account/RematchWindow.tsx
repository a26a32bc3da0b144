// For how many days mail that matched nobody is kept, sealed. 0 is off.

import { useState } from "preact/hooks";
import { dataOf, Problem, type Session } from "../api/session";
import { useSession } from "../shared/context";
import { Failure } from "../shared/state";
import { useFetched } from "../shared/use-fetched";
import { daysOf, MOST_DAYS } from "./days";
import { useAccountText } from "./texts";

interface Window {
  days: number;
  tag: string | null;
}

type Answer = { data?: { days: number }; error?: unknown; response: Response };

function windowOf(answer: Answer): Window {
  return { days: dataOf(answer).days, tag: answer.response.headers.get("ETag") };
}

async function read(session: Session, signal?: AbortSignal): Promise<Window> {
  return windowOf(await session.api.GET("/v1/rematch-window", { ...(signal && { signal }) }));
}

export function RematchWindow({ changes }: { changes: boolean }) {
  const session = useSession();
  const text = useAccountText();
  const fetched = useFetched((signal) => read(session, signal), [session]);
  const [changed, setChanged] = useState<Window>();
  const [typed, setTyped] = useState<string>();
  const [said, setSaid] = useState<"on" | "off" | "invalid" | "changed" | "failed">();
  const now = changed ?? fetched.value;
  if (!now) return fetched.error ? <Failure error={fetched.error} retry={fetched.again} /> : null;
  const put = async () => {
    const days = daysOf(typed ?? `${now.days}`);
    if (days === undefined) return setSaid("invalid");
    setSaid(undefined);
    try {
      const params = { header: now.tag ? { "If-Match": now.tag } : {} };
      const body = { days };
      setChanged(windowOf(await session.api.PUT("/v1/rematch-window", { params, body })));
      setTyped(undefined);
      setSaid(days ? "on" : "off");
    } catch (error) {
      if (!(error instanceof Problem && error.status === 412)) return setSaid("failed");
      const theirs = await read(session).catch(() => undefined);
      if (theirs) setChanged(theirs);
      setTyped(undefined);
      setSaid("changed");
    }
  };
  const isGood = said === "on" || said === "off";
  return (
    <section class="card" aria-labelledby="rematch">
      <h2 id="rematch">{text["rematch.title"]}</h2>
      <p class="quiet">{text["rematch.what"]}</p>
      <ul class="bullets quiet">
        <li>{text["rematch.sealed"]}</li>
        <li>{text["rematch.guards"]}</li>
        <li>{text["rematch.shorter"]}</li>
      </ul>
      <form
        class="actions"
        onSubmit={(event) => {
          event.preventDefault();
          void put();
        }}
      >
        <label class="days">
          {text["rematch.days"]}
          <input
            class="field"
            inputMode="numeric"
            autocomplete="off"
            disabled={!changes}
            aria-invalid={said === "invalid" || undefined}
            value={typed ?? `${now.days}`}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        {changes && (
          <button type="submit" class="button">
            {text["rematch.save"]}
          </button>
        )}
        <span class="quiet small">{text["rematch.range"](MOST_DAYS)}</span>
      </form>
      <div role="status">
        {said && (
          <p class={`note ${isGood ? "ok" : "danger"}`}>
            {said === "failed" ? text.failed : text[`rematch.${said}`]}
          </p>
        )}
      </div>
    </section>
  );
}
