// What could not be handled: for those who run the service.

import { useState } from "preact/hooks";
import { dataOf } from "../api/session";
import { useSession } from "../shared/context";
import { Empty, Failure, Skeleton } from "../shared/state";
import { DeadLetter, type Letter } from "./DeadLetter";
import { useAccountText } from "./texts";
import { usePages } from "./use-pages";

const STATES = ["waiting", "replayed", "dropped"] as const;

export function DeadLetters() {
  const session = useSession();
  const text = useAccountText();
  const [state, setState] = useState<(typeof STATES)[number]>("waiting");
  const list = usePages<Letter>(
    async (cursor) =>
      dataOf(
        await session.api.GET("/v1/dead-letters", {
          params: { query: { state, limit: 50, ...(cursor && { cursor }) } },
        }),
      ),
    state,
  );
  return (
    <>
      <div class="above">
        <p class="quiet">{text["letters.what"]}</p>
        {/* biome-ignore lint/a11y/useSemanticElements: three buttons, one of which is pressed */}
        <div class="segments" role="group" aria-label={text["letters.state"]}>
          {STATES.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === state}
              onClick={() => setState(one)}
            >
              {text[`letters.state.${one}`]}
            </button>
          ))}
        </div>
      </div>
      {!list.items ? (
        list.error ? (
          <Failure error={list.error} retry={list.again} />
        ) : (
          <Skeleton rows={3} />
        )
      ) : list.items.length === 0 ? (
        <section class="card">
          <Empty icon="check" title={text["letters.none"]}>
            {state === "waiting" && <p class="quiet">{text["letters.none.what"]}</p>}
          </Empty>
        </section>
      ) : (
        <ul class="cards">
          {list.items.map((letter) => (
            <DeadLetter
              key={letter.id}
              letter={letter}
              changed={(now) =>
                list.change((items) => items.map((one) => (one.id === now.id ? now : one)))
              }
            />
          ))}
        </ul>
      )}
      {list.next && (
        <button type="button" class="button" onClick={list.more}>
          {text.more}
        </button>
      )}
    </>
  );
}
