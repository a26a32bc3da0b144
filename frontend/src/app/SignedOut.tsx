// The reader is not signed in: what to do about it.

import { useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { Icon } from "../shared/Icon";
import type { Arrival } from "./arrival";

export function SignedOut({ arrival }: { arrival: Arrival & { kind: "out" } }) {
  const { text } = useLanguage();
  const [why, setWhy] = useState(arrival.why);
  const { signIn } = arrival;
  return (
    <main class="signed-out">
      <div class="panel">
        <span class="mark" aria-hidden="true">
          <Icon name="inbox" />
        </span>
        <h1>{text["sign-in.title"]}</h1>
        {why !== "new" && (
          <p class={why === "failed" ? "note danger" : "note"} role="alert">
            {text[why === "failed" ? "sign-in.failed" : "sign-in.out"]}
          </p>
        )}
        <p class="quiet">{text[signIn ? "sign-in.what" : "sign-in.link.what"]}</p>
        {signIn && (
          <button
            type="button"
            class="button primary"
            onClick={() => {
              signIn.leave(location.pathname).catch(() => setWhy("failed"));
            }}
          >
            {text["sign-in.act"]}
          </button>
        )}
      </div>
    </main>
  );
}
