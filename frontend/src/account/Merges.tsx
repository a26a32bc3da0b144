// The merges of the account, each with its way back.

import { useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { type Merge, undo } from "./life";
import { useAccountText } from "./texts";
import { useNames } from "./use-names";
import type { Pages } from "./use-pages";

export function Merges({ pages, changes }: { pages: Pages<Merge>; changes: boolean }) {
  const session = useSession();
  const text = useAccountText();
  const { moment } = useLanguage();
  const [failed, setFailed] = useState(false);
  const items = pages.items ?? [];
  const name = useNames(
    session,
    items.flatMap((one) => [one.person_id, one.into, one.undone_by ?? one.merged_by]),
  );
  if (items.length === 0) return null;
  const part = async (merge: Merge) => {
    setFailed(false);
    try {
      const now = await undo(session, merge.id);
      pages.change((all) => all.map((one) => (one.id === now.id ? now : one)));
    } catch {
      setFailed(true);
    }
  };
  return (
    <section class="card" aria-labelledby="merges">
      <h2 id="merges">{text["merges.title"]}</h2>
      {failed && (
        <p class="note danger" role="alert">
          {text.failed}
        </p>
      )}
      <ul class="decided">
        {items.map((one) => (
          <li key={one.id}>
            <span>
              {text["merges.line"](name(one.person_id), name(one.into))}
              <br />
              <span class="quiet small">
                {text[one.undone_at ? "merges.undone" : "merges.merged"](
                  name(one.undone_by ?? one.merged_by),
                  moment(new Date(one.undone_at ?? one.merged_at)),
                )}
              </span>
            </span>
            {one.state === "undone" ? (
              <span class="badge">{text["merges.state.undone"]}</span>
            ) : (
              changes && (
                <button
                  type="button"
                  class="button"
                  aria-label={`${text["merge.undo"]}: ${text["merges.line"](name(one.person_id), name(one.into))}`}
                  onClick={() => void part(one)}
                >
                  {text["merge.undo"]}
                </button>
              )
            )}
          </li>
        ))}
      </ul>
      {pages.next && (
        <p class="actions">
          <button type="button" class="button" onClick={pages.more}>
            {text.more}
          </button>
        </p>
      )}
    </section>
  );
}
