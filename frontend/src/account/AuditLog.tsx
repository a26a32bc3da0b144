// Who removed mail from profiles, hid, deleted or handed it over, and when. Nothing of the mail.

import { dataOf } from "../api/session";
import type { components } from "../api/timeline";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { Empty, Failure, Skeleton } from "../shared/state";
import { useAccountText, worded } from "./texts";
import { useNames } from "./use-names";
import { usePages } from "./use-pages";

type Line = components["schemas"]["AuditLineOut"];

/** `names`: whether the reader may read the directory. */
export function AuditLog({ names }: { names: boolean }) {
  const session = useSession();
  const text = useAccountText();
  const { moment } = useLanguage();
  const list = usePages<Line>(
    async (cursor) =>
      dataOf(
        await session.api.GET("/v1/audit-log", {
          params: { query: { limit: 25, ...(cursor && { cursor }) } },
        }),
      ),
    session,
  );
  const items = list.items ?? [];
  const name = useNames(
    session,
    items.flatMap((line) =>
      [line.who, line.profile, line.owner, line.new_owner].filter((id) => id !== null),
    ),
    names,
  );
  if (!list.items) {
    if (list.error) return <Failure error={list.error} retry={list.again} />;
    return <Skeleton rows={3} />;
  }
  return (
    <>
      <p class="quiet">{text["audit.what"]}</p>
      <section class="card">
        {items.length === 0 ? (
          <Empty icon="shield" title={text["audit.none"]}>
            <p class="quiet">{text["audit.none.what"]}</p>
          </Empty>
        ) : (
          <ul class="decided">
            {items.map((line) => (
              <li key={line.id}>
                <span>
                  <b>{name(line.who)}</b> {worded(text, `audit.${line.what}`, line.what)}
                  {line.profile && <>: {name(line.profile)}</>}
                  {line.owner && (
                    <>
                      : {name(line.owner)} → {name(line.new_owner ?? "")}
                    </>
                  )}
                  <br />
                  <span class="quiet small">
                    {moment(new Date(line.at))}
                    {line.mail_id && (
                      <>
                        {" "}
                        · {text["audit.mail"]} <code>{line.mail_id}</code>
                      </>
                    )}
                  </span>
                </span>
              </li>
            ))}
          </ul>
        )}
      </section>
      {list.next && (
        <p class="actions">
          <button type="button" class="button" onClick={list.more}>
            {text.more}
          </button>
        </p>
      )}
    </>
  );
}
