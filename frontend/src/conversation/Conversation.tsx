// A conversation: its mails, the newest first and open, what came before folded.

import { useEffect, useRef, useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { mark } from "../inbox/conversations";
import { Avatar } from "../shared/Avatar";
import { useSession } from "../shared/context";
import { Icon } from "../shared/Icon";
import { Failure, Skeleton } from "../shared/state";
import { MailView } from "./MailView";
import { useConversation } from "./use-conversation";

const SHOWN_OF_LONG = 3;
const LONG = 6;

export interface ConversationViewProps {
  id: string;
  back: () => void;
  openPerson: (id: string) => void;
  onRead: (unread: boolean) => void;
}

export function ConversationView({ id, back, openPerson, onRead }: ConversationViewProps) {
  const session = useSession();
  const { text } = useLanguage();
  const { value, error, again, waiting, show, more, moreError } = useConversation(
    session,
    id,
    onRead,
  );
  const [opened, setOpened] = useState<Record<string, boolean>>({});
  const [unfolded, setUnfolded] = useState(false);
  const pane = useRef<HTMLElement>(null);
  const newest = value?.mails[0]?.id;
  // Move focus to the title, so that a screen reader starts there.
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (newest && pane.current) pane.current.scrollTop = 0;
  }, [newest]);
  const isThere = value !== undefined;
  useEffect(() => {
    // Where the conversation covers the list, the focus went away with the row.
    const root = title.current?.getRootNode();
    if (isThere && root instanceof ShadowRoot && !root.activeElement)
      title.current?.focus({ preventScroll: true });
  }, [isThere]);
  const mails = value?.mails ?? [];
  const isLong = !unfolded && mails.length > LONG;
  const shown = isLong ? mails.slice(0, SHOWN_OF_LONG) : mails;
  return (
    <section
      class="conversation"
      ref={pane}
      aria-label={value?.subject || text["inbox.conversations"]}
    >
      <header>
        <button
          type="button"
          class="icon-button back"
          aria-label={text["action.back"]}
          onClick={back}
        >
          <Icon name="back" />
        </button>
        <h2 ref={title} tabIndex={-1}>
          {value ? value.subject || text["mail.no-subject"] : text.conversation}
        </h2>
        {value && (
          <button
            type="button"
            class="icon-button"
            aria-label={text[value.unread ? "row.mark-read" : "row.mark-unread"]}
            title={text[value.unread ? "row.mark-read" : "row.mark-unread"]}
            onClick={() => {
              const unread = !value.unread;
              value.unread = unread;
              onRead(unread);
              void mark(session, id, unread).catch(() => onRead(!unread));
            }}
          >
            <Icon name={value.unread ? "read" : "unread"} />
          </button>
        )}
      </header>
      {value && value.profiles.length > 0 && (
        <ul class="profiles" aria-label={text["conversation.people"]}>
          {value.profiles.map((person) => (
            <li key={person.person_id}>
              <button type="button" class="chip" onClick={() => openPerson(person.person_id)}>
                <Avatar name={person.name || person.person_id} />
                <span>{person.name || text.unnamed}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {error ? <Failure error={error} retry={again} /> : null}
      {!value && !error && <Skeleton rows={4} />}
      {waiting > 0 && (
        <button type="button" class="new" onClick={show}>
          <Icon name="up" />
          {text["inbox.new"](waiting)}
        </button>
      )}
      <div class="mails">
        {shown.map((mail) => {
          const open = opened[mail.id] ?? mail.id === newest;
          return (
            <MailView
              key={mail.id}
              mail={mail}
              open={open}
              toggle={() => setOpened((before) => ({ ...before, [mail.id]: !open }))}
              changed={(gone) => (gone && mails.length === 1 ? back() : again())}
            />
          );
        })}
      </div>
      {isLong && value && (
        <button type="button" class="button earlier" onClick={() => setUnfolded(true)}>
          <Icon name="down" />
          {text["conversation.earlier"](Math.max(value.mail_count, mails.length) - shown.length)}
        </button>
      )}
      {!isLong && value?.next_cursor && (
        <button type="button" class="button earlier" onClick={() => void more()}>
          <Icon name="down" />
          {text["conversation.more"]}
        </button>
      )}
      {moreError ? <p role="alert">{text["inbox.more-failed"]}</p> : null}
    </section>
  );
}
