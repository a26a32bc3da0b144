// The erasures of the account, with their receipts.

import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { ErasureState } from "./ErasureState";
import type { Erasure } from "./life";
import { useAccountText } from "./texts";
import { useNames } from "./use-names";
import type { Pages } from "./use-pages";

export function Erasures({ pages }: { pages: Pages<Erasure> }) {
  const session = useSession();
  const text = useAccountText();
  const { moment } = useLanguage();
  const items = pages.items ?? [];
  const name = useNames(
    session,
    items.map((one) => one.asked_by),
  );
  if (items.length === 0) return null;
  return (
    <section class="card" aria-labelledby="erasures">
      <h2 id="erasures">{text["erasures.title"]}</h2>
      <ul class="decided">
        {items.map((one) => (
          <li key={one.id}>
            <details class="more">
              <summary>
                {text["erasures.line"](one.person_id)}{" "}
                <span class="badge">{text[`erasures.state.${one.state}`]}</span>
              </summary>
              <p class="quiet small">
                {text["erasures.asked"](name(one.asked_by), moment(new Date(one.asked_at)))}
              </p>
              <ErasureState
                erasure={one}
                changed={(now) =>
                  pages.change((all) => all.map((other) => (other.id === now.id ? now : other)))
                }
              />
            </details>
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
