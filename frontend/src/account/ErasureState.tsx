// How far an erasure is; at its end what it removed, and the receipt.

import { useEffect } from "preact/hooks";
import { dataOf } from "../api/session";
import { save } from "../conversation/mails";
import { useLanguage } from "../i18n";
import { CopyButton } from "../setup/CopyButton";
import { useSession } from "../shared/context";
import { Icon } from "../shared/Icon";
import { useStable } from "../shared/use-stable";
import { type Erasure, erasureOf } from "./life";
import { useAccountText } from "./texts";

const LOOK_AGAIN = 1500; // milliseconds

const COUNTS = ["mails_deleted", "mails_redacted", "quarantined", "dead_letters"] as const;

export interface ErasureStateProps {
  erasure: Erasure;
  changed: (now: Erasure) => void;
}

export function ErasureState({ erasure, changed }: ErasureStateProps) {
  const session = useSession();
  const text = useAccountText();
  const { number, list } = useLanguage();
  const { id, state, erased, receipt } = erasure;
  const done = useStable(changed);
  useEffect(() => {
    if (state === "done") return;
    const abort = new AbortController();
    const look = () =>
      void erasureOf(session, id, abort.signal).then(
        (now) => now.state === "done" && done(now),
        () => undefined, // it goes on, whether it can be seen or not
      );
    const timer = setInterval(() => document.hidden || look(), LOOK_AGAIN);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [session, id, state, done]);
  const saveKeys = async () => {
    const keys = dataOf(await session.api.GET("/v1/erasures/keys"));
    save(JSON.stringify(keys), `erasure-keys-${id}.json`);
  };
  return (
    <div class="erasure">
      <p role="status" class={`note ${state === "done" ? "ok" : ""}`}>
        <Icon name={state === "done" ? "check" : "retry"} />
        {text[`erase.${state}`]}
      </p>
      {erasure.person_ids.length > 1 && (
        <p class="quiet small">{text["erase.together"](list(erasure.person_ids))}</p>
      )}
      {state === "done" && (
        <>
          <dl class="header-fields">
            {COUNTS.map((count) => (
              <div key={count}>
                <dt>{text[`erase.count.${count}`]}</dt>
                <dd>{number(erased[count] ?? 0)}</dd>
              </div>
            ))}
          </dl>
          {(erased.failed ?? 0) > 0 && (
            <p class="note danger">{text["erase.failed"](number(erased.failed ?? 0))}</p>
          )}
        </>
      )}
      {receipt && (
        <>
          <p class="quiet small">{text["erase.receipt.what"]}</p>
          <p class="actions">
            <CopyButton value={receipt} label={text["erase.receipt"]} />
            <button type="button" class="button" onClick={() => save(receipt, `erasure-${id}.jws`)}>
              <Icon name="download" />
              {text["erase.receipt.save"]}
            </button>
            <button type="button" class="button" onClick={() => void saveKeys()}>
              <Icon name="download" />
              {text["erase.keys.save"]}
            </button>
          </p>
        </>
      )}
    </div>
  );
}
