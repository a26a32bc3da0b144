// Drops a mail, and says what would become of it and why. Nothing of it is stored.

import { useRef, useState } from "preact/hooks";
import type { components } from "../api/matcher";
import { dataOf } from "../api/session";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { Icon } from "../shared/Icon";
import { useAccountText, worded } from "./texts";

type Explanation = components["schemas"]["Explanation"];
type Participant = components["schemas"]["ParticipantVerdict"];

export function Explain() {
  const session = useSession();
  const text = useAccountText();
  const [over, setOver] = useState(false);
  const [explained, setExplained] = useState<{ name: string; of: Explanation }>();
  const [failed, setFailed] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const explain = async (file: File | undefined) => {
    if (!file) return;
    setFailed(false);
    setExplained(undefined);
    try {
      const answer = await session.fetch(
        new Request(new URL("/v1/explain", session.base), {
          method: "POST",
          body: await file.arrayBuffer(),
          headers: { "Content-Type": "message/rfc822" },
        }),
      );
      const data = (await answer.json()) as Explanation;
      setExplained({ name: file.name, of: dataOf({ data, error: data, response: answer }) });
    } catch {
      setFailed(true);
    }
  };
  return (
    <section
      class="card drop"
      aria-labelledby="explain"
      data-over={over}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void explain(event.dataTransfer?.files[0]);
      }}
    >
      <h2 id="explain">{text["explain.title"]}</h2>
      <p class="quiet">{text["explain.what"]}</p>
      <p class="actions">
        <input
          ref={input}
          type="file"
          class="sr"
          tabIndex={-1}
          aria-label={text["explain.choose"]}
          accept=".eml,message/rfc822"
          onChange={(event) => {
            void explain(event.currentTarget.files?.[0]);
            event.currentTarget.value = "";
          }}
        />
        <button type="button" class="button" onClick={() => input.current?.click()}>
          <Icon name="file" />
          {text["explain.choose"]}
        </button>
      </p>
      <div aria-live="polite">
        {failed && <p class="note danger">{text["explain.failed"]}</p>}
        {explained && (
          <>
            <p class="quiet small">{explained.name}</p>
            <Outcome of={explained.of} />
            <Participants list={explained.of.participants} />
            {explained.of.enclosed.map((one) => (
              <div key={one.place} class="enclosed">
                <h3>{text["explain.enclosed"](one.subject)}</h3>
                <Outcome of={one} />
                <Participants list={one.participants} />
              </div>
            ))}
          </>
        )}
      </div>
    </section>
  );
}

function Outcome({
  of,
}: {
  of: { decision: string; reason: string | null; direction?: string | null };
}) {
  const text = useAccountText();
  const detail =
    (of.reason && worded(text, `reason.${of.reason}`, of.reason)) ||
    (of.direction && worded(text, `explain.${of.direction}`, of.direction));
  return (
    <p class={`note ${of.decision === "attach" ? "ok" : ""}`}>
      <b>{worded(text, `explain.${of.decision}`, of.decision)}</b>
      {detail && <span>{detail}</span>}
    </p>
  );
}

function Participants({ list }: { list: Participant[] }) {
  const text = useAccountText();
  const { text: shared } = useLanguage();
  return (
    <ul class="participants" aria-label={text["explain.participants"]}>
      {list.map((one) => (
        <li key={`${one.role}${one.source}${one.address}`}>
          <span class="quiet">{shared[`role.${one.role}`]}</span>
          <span class="who">{one.address}</span>
          <span class={`badge ${one.verdict === "match" ? "ok" : ""}`}>
            {worded(text, `explain.verdict.${one.verdict}`, one.verdict)}
          </span>
        </li>
      ))}
    </ul>
  );
}
