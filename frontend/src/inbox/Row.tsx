import { useLanguage } from "../i18n";
import { Avatar } from "../shared/Avatar";
import { Icon } from "../shared/Icon";
import type { Conversation } from "./conversations";

export interface RowProps {
  item: Conversation;
  chosen: boolean;
  open: (item: Conversation) => void;
  mark: (item: Conversation, unread: boolean) => void;
}

/** Returns the names that a conversation is shown by: its profiles, else its participants. */
export function namesOf(item: Conversation): string[] {
  const profiles = item.profiles.map((profile) => profile.name).filter(Boolean);
  if (profiles.length > 0) return profiles;
  return item.participants.map((person) => person.name || person.address).slice(0, 3);
}

export function Row({ item, chosen, open, mark }: RowProps) {
  const { text, date, moment } = useLanguage();
  const names = namesOf(item);
  const at = new Date(item.last_mail_at);
  return (
    <div class="row" data-unread={item.unread} data-chosen={chosen}>
      <button
        type="button"
        class="row-open"
        aria-current={chosen ? "true" : undefined}
        onClick={() => open(item)}
      >
        <Avatar name={names[0] ?? ""} />
        <span class="who">
          {item.unread && <span class="sr">{text["row.unread"]}: </span>}
          <span class="names">{names.join(", ") || text["row.no-names"]}</span>
          {item.mail_count > 1 && (
            <span class="count" title={text["row.count"](item.mail_count)}>
              {item.mail_count}
            </span>
          )}
        </span>
        <time dateTime={item.last_mail_at} title={moment(at)}>
          {date(at)}
        </time>
        <span class="subject">{item.subject || text["mail.no-subject"]}</span>
        {item.has_attachments && (
          <span class="clip" title={text["row.attachments"]}>
            <Icon name="clip" />
            <span class="sr">{text["row.attachments"]}</span>
          </span>
        )}
        <span class="snippet">{item.snippet}</span>
      </button>
      <button
        type="button"
        class="icon-button row-mark"
        tabIndex={-1}
        aria-label={text[item.unread ? "row.mark-read" : "row.mark-unread"]}
        title={text[item.unread ? "row.mark-read" : "row.mark-unread"]}
        onClick={() => mark(item, !item.unread)}
      >
        <Icon name={item.unread ? "read" : "unread"} />
      </button>
    </div>
  );
}
