import { useState } from "preact/hooks";
import { dataOf, type Session } from "../api/session";
import type { components } from "../api/timeline";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { Failure, Skeleton } from "../shared/state";
import { useFetched } from "../shared/use-fetched";
import { MailFrame } from "./MailFrame";

type Mail = components["schemas"]["MailOut"];

export function ConversationView({ id }: { id: string }) {
  const session = useSession();
  const { text } = useLanguage();
  const { value, error, again } = useFetched((signal) => conversation(session, id, signal), [id]);
  if (error) return <Failure error={error} retry={again} />;
  if (!value) return <Skeleton rows={4} />;
  return (
    <article class="conversation">
      <h2>{value.subject || text["mail.no-subject"]}</h2>
      {value.mails.map((mail, place) => (
        <MailView key={mail.id} mail={mail} open={place === 0} />
      ))}
    </article>
  );
}

async function conversation(session: Session, id: string, signal: AbortSignal) {
  const path = { conversation_id: id };
  const read = dataOf(
    await session.api.GET("/v1/conversations/{conversation_id}", { params: { path }, signal }),
  );
  if (read.unread)
    void session.api.PUT("/v1/conversations/{conversation_id}/read", { params: { path } });
  return read;
}

function MailView({ mail, open }: { mail: Mail; open: boolean }) {
  const { text, date } = useLanguage();
  const [isOpen, setOpen] = useState(open);
  const from = mail.from;
  return (
    <section class="mail">
      <button
        type="button"
        class="plain head"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <strong>{from?.name || from?.address}</strong>
        <span class="quiet">
          {text["mail.to"]} {mail.to.map((to) => to.name || to.address).join(", ")}
        </span>
        <time class="quiet" dateTime={mail.date}>
          {date(new Date(mail.date))}
        </time>
        {!isOpen && <span class="quiet snippet">{mail.snippet}</span>}
      </button>
      {isOpen && <Body id={mail.id} />}
    </section>
  );
}

function Body({ id }: { id: string }) {
  const session = useSession();
  const { text } = useLanguage();
  const [whole, setWhole] = useState(false);
  const { value, error, again } = useFetched(
    async (signal) =>
      dataOf(
        await session.api.GET("/v1/mails/{mail_id}", { params: { path: { mail_id: id } }, signal }),
      ),
    [id],
  );
  if (error) return <Failure error={error} retry={again} />;
  if (!value) return <Skeleton rows={2} />;
  if (value.html) return <MailFrame html={value.html} />;
  const isFolded = value.new_text !== "" && value.new_text !== value.text;
  return (
    <div class="body">
      <div class="text">{whole || !isFolded ? value.text : value.new_text}</div>
      {isFolded && (
        <button type="button" class="plain" aria-expanded={whole} onClick={() => setWhole(!whole)}>
          {text[whole ? "mail.hide-quoted" : "mail.show-quoted"]}
        </button>
      )}
    </div>
  );
}
