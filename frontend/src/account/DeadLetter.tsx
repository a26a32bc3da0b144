// One dead letter: why it died, what it is, and the two things to do about it.

import { useState } from "preact/hooks";
import { dataOf, Problem } from "../api/session";
import type { components } from "../api/timeline";
import { download } from "../conversation/mails";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { useAccountText, worded } from "./texts";

export type Letter = components["schemas"]["DeadLetterOut"];
type Detail = components["schemas"]["DeadLetterDetail"];

export function DeadLetter({
  letter,
  changed,
}: {
  letter: Letter;
  changed: (now: Letter) => void;
}) {
  const session = useSession();
  const text = useAccountText();
  const { moment, bytes } = useLanguage();
  const [dropping, setDropping] = useState(false);
  const [why, setWhy] = useState("");
  const [detail, setDetail] = useState<Detail>();
  const [problem, setProblem] = useState<string>();
  const path = { dead_letter_id: letter.id };
  const attempt = (act: () => Promise<void>) => {
    setProblem(undefined);
    act().catch((error: unknown) =>
      setProblem(error instanceof Problem && error.message ? error.message : text.failed),
    );
  };
  const replay = async () =>
    changed(
      dataOf(
        await session.api.POST("/v1/dead-letters/{dead_letter_id}/replay", { params: { path } }),
      ),
    );
  const drop = async () => {
    changed(
      dataOf(
        await session.api.DELETE("/v1/dead-letters/{dead_letter_id}", {
          params: { path, query: { why } },
        }),
      ),
    );
    setDropping(false);
  };
  const look = async () =>
    setDetail(
      dataOf(await session.api.GET("/v1/dead-letters/{dead_letter_id}", { params: { path } })),
    );
  return (
    <li class="card letter">
      <header>
        <h2>{worded(text, `dead.${letter.reason}`, letter.reason)}</h2>
        <span class={`badge ${letter.state === "waiting" ? "warn" : ""}`}>
          {text[`letters.state.${letter.state}`]}
        </span>
      </header>
      <p lang="en">{letter.detail}</p>
      <p class="quiet small">
        {moment(new Date(letter.at))} · {text["letters.queue"](letter.queue)} · {bytes(letter.size)}
        {letter.replays > 0 && <> · {text["letters.replays"](letter.replays)}</>}
      </p>
      {letter.settled && (
        <p class="quiet small">
          {text["letters.settled"](letter.settled.by, moment(new Date(letter.settled.at)))}
          {letter.settled.why && <>: {letter.settled.why}</>}
        </p>
      )}
      {letter.state === "waiting" && !dropping && (
        <p class="actions">
          <button type="button" class="button" onClick={() => attempt(replay)}>
            {text["letters.replay"]}
          </button>
          <button type="button" class="button danger" onClick={() => setDropping(true)}>
            {text["letters.drop"]}
          </button>
          <span class="quiet small">
            {text["letters.until"](moment(new Date(letter.expires_at)))}
          </span>
        </p>
      )}
      {dropping && (
        <form
          class="actions"
          onSubmit={(event) => {
            event.preventDefault();
            attempt(drop);
          }}
        >
          <input
            class="field"
            required
            maxLength={500}
            aria-label={text["letters.why"]}
            placeholder={text["letters.why"]}
            value={why}
            onInput={(event) => setWhy(event.currentTarget.value)}
          />
          <button type="submit" class="button danger">
            {text["letters.drop"]}
          </button>
          <button type="button" class="button" onClick={() => setDropping(false)}>
            {text.cancel}
          </button>
        </form>
      )}
      {problem && (
        <p class="note danger" role="alert">
          {problem}
        </p>
      )}
      {letter.state === "waiting" && (
        <details
          class="more"
          onToggle={(event) => {
            if (event.currentTarget.open && !detail) attempt(look);
          }}
        >
          <summary>{text["letters.details"]}</summary>
          {detail && (
            <>
              {detail.headers.length > 0 && (
                <>
                  <h3>{text["letters.header"]}</h3>
                  <dl class="header-fields">
                    {detail.headers.map((field, index) => (
                      // biome-ignore lint/suspicious/noArrayIndexKey: fields repeat, and stay in order
                      <div key={index}>
                        <dt>{field.name}</dt>
                        <dd>{field.value}</dd>
                      </div>
                    ))}
                  </dl>
                  <button
                    type="button"
                    class="button"
                    onClick={() =>
                      attempt(() =>
                        download(session, `/v1/dead-letters/${letter.id}/raw`, `${letter.id}.eml`),
                      )
                    }
                  >
                    {text["letters.original"]}
                  </button>
                </>
              )}
              {detail.event && (
                <>
                  <h3>{text["letters.event"]}</h3>
                  <pre>{detail.event}</pre>
                </>
              )}
            </>
          )}
        </details>
      )}
    </li>
  );
}
