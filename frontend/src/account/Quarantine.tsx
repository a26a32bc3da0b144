// Mail that may be forged: each waits for a yes or a no.

import { useState } from "preact/hooks";
import { dataOf } from "../api/session";
import type { components } from "../api/timeline";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { Icon } from "../shared/Icon";
import { Empty, Failure, Skeleton } from "../shared/state";
import { useAccountText } from "./texts";
import { usePages } from "./use-pages";

type Held = components["schemas"]["HeldOut"];

export interface QuarantineProps {
  decides: boolean;
  openInbox: () => void;
}

export function Quarantine({ decides, openInbox }: QuarantineProps) {
  const session = useSession();
  const text = useAccountText();
  const [said, setSaid] = useState<"done.yes" | "done.no">();
  const list = usePages<Held>(
    async (cursor) =>
      dataOf(
        await session.api.GET("/v1/quarantine", {
          params: { query: { limit: 50, ...(cursor && { cursor }) } },
        }),
      ),
    session,
  );
  if (!list.items) {
    if (list.error) return <Failure error={list.error} retry={list.again} />;
    return <Skeleton rows={3} />;
  }
  const decide = async (held: Held, yes: boolean) => {
    const path = { held_id: held.id };
    dataOf(
      yes
        ? await session.api.POST("/v1/quarantine/{held_id}/release", { params: { path } })
        : await session.api.DELETE("/v1/quarantine/{held_id}", { params: { path } }),
    );
    list.change((items) => items.filter((one) => one.id !== held.id));
    session.events.tell({ kind: "decided", id: "", data: {} });
    setSaid(yes ? "done.yes" : "done.no");
  };
  return (
    <>
      <div role="status">
        {said && (
          <p class="note ok">
            {text[`quarantine.${said}`]}{" "}
            {said === "done.yes" && (
              <button type="button" class="link" onClick={openInbox}>
                {text["quarantine.inbox"]}
              </button>
            )}
          </p>
        )}
      </div>
      {list.items.length === 0 ? (
        <section class="card">
          <Empty icon="shield" title={text["quarantine.none"]}>
            <p class="quiet">{text["quarantine.none.what"]}</p>
          </Empty>
        </section>
      ) : (
        <>
          <p class="quiet">{text["quarantine.what"]}</p>
          <ul class="cards">
            {list.items.map((held) => (
              <HeldCard key={held.id} held={held} decides={decides} decide={decide} />
            ))}
          </ul>
        </>
      )}
      {list.next && (
        <button type="button" class="button" onClick={list.more}>
          {text.more}
        </button>
      )}
    </>
  );
}

/** Returns for whom a mail says it is: the recipients in the directory. */
function namesOf(mail: Held["mails"][number]): string[] {
  const named = new Map(
    [...mail.to, ...mail.cc].map((one) => [one.address.toLowerCase(), one.name]),
  );
  const matched = mail.matches.filter((one) => one.role !== "from" && one.role !== "sender");
  const names = matched.map((one) => named.get(one.address.toLowerCase()) || one.address);
  return names.length > 0 ? [...new Set(names)] : mail.to.map((one) => one.name || one.address);
}

function domainOf(mail: Held["mails"][number]): string {
  return (mail.forwarded_by ?? mail.from)?.address.split("@").at(-1) ?? "?";
}

interface HeldCardProps {
  held: Held;
  decides: boolean;
  decide: (held: Held, yes: boolean) => Promise<void>;
}

function HeldCard({ held, decides, decide }: HeldCardProps) {
  const text = useAccountText();
  const { moment, list, text: shared } = useLanguage();
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const act = (yes: boolean) => {
    setBusy(true);
    setFailed(false);
    decide(held, yes).catch(() => {
      setBusy(false);
      setFailed(true);
    });
  };
  return (
    <li class="card held">
      {held.mails.map((mail) => (
        <article key={mail.subject + mail.date}>
          <header>
            <h2>{mail.subject}</h2>
            <span class="badge danger">{shared["verified.failed.short"]}</span>
          </header>
          <p>
            <span class="quiet">{text["quarantine.from"]}</span>{" "}
            {mail.from ? (
              <>
                {mail.from.name} <span class="quiet">{mail.from.address}</span>
              </>
            ) : (
              text["quarantine.no-sender"]
            )}
          </p>
          {mail.snippet && <blockquote>{mail.snippet}</blockquote>}
          <p class="note danger">
            <Icon name="alert" />
            {shared["verified.failed"](held.authentication.domain ?? domainOf(mail))}
          </p>
          <p class="quiet small">
            {moment(new Date(mail.date))} · {text["quarantine.for"](list(namesOf(mail)))}
          </p>
        </article>
      ))}
      {!decides ? (
        <p class="quiet small">{text["quarantine.may-not"]}</p>
      ) : asked ? (
        <p class="actions">
          <span>{text["quarantine.sure"]}</span>
          <button type="button" class="button danger" disabled={busy} onClick={() => act(false)}>
            {text["quarantine.no"]}
          </button>
          <button type="button" class="button" onClick={() => setAsked(false)}>
            {text.cancel}
          </button>
        </p>
      ) : (
        <p class="actions">
          <button type="button" class="button" disabled={busy} onClick={() => act(true)}>
            {text["quarantine.yes"]}
          </button>
          <button
            type="button"
            class="button danger"
            disabled={busy}
            onClick={() => setAsked(true)}
          >
            {text["quarantine.no"]}
          </button>
        </p>
      )}
      {failed && (
        <p class="note danger" role="alert">
          {text.failed}
        </p>
      )}
    </li>
  );
}
