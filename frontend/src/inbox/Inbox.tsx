import { useEffect, useState } from "preact/hooks";
import { ConversationView } from "../conversation/Conversation";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { Failure, Skeleton } from "../shared/state";
import { useFetched } from "../shared/use-fetched";
import { type Conversation, type Filter, pageOf } from "./conversations";

export interface InboxProps {
  chosen?: string | undefined;
  choose: (id: string) => void;
}

export function Inbox({ chosen, choose }: InboxProps) {
  const session = useSession();
  const { text } = useLanguage();
  const [filter, setFilter] = useState<Filter>({});
  const { value, error, again } = useFetched(
    (signal) => pageOf(session, filter, undefined, signal),
    [session, JSON.stringify(filter)],
  );
  useEffect(() => session.events.listen(again), [session, again]);
  const toggle = (name: "unread" | "mine") => setFilter((f) => ({ ...f, [name]: !f[name] }));
  return (
    <div class="inbox" data-chosen={chosen !== undefined}>
      <section class="list" aria-label={text.inbox}>
        <form class="tools" role="search" onSubmit={(event) => event.preventDefault()}>
          <input
            type="search"
            aria-label={text["inbox.search"]}
            placeholder={text["inbox.search"]}
            onChange={(event) => setFilter((f) => ({ ...f, q: event.currentTarget.value }))}
          />
          <button type="button" aria-pressed={!!filter.unread} onClick={() => toggle("unread")}>
            {text["inbox.unread"]}
          </button>
          <button type="button" aria-pressed={!!filter.mine} onClick={() => toggle("mine")}>
            {text["inbox.mine"]}
          </button>
        </form>
        {error ? <Failure error={error} retry={again} /> : null}
        {!value && !error && <Skeleton rows={8} />}
        {value?.items.length === 0 && (
          <p class="quiet empty">
            {filter.q || filter.unread || filter.mine || filter.person
              ? text["inbox.empty.found"]
              : text["inbox.empty"]}
          </p>
        )}
        {value?.items.map((item) => (
          <Row key={item.id} item={item} chosen={item.id === chosen} choose={choose} />
        ))}
      </section>
      {chosen ? (
        <ConversationView key={chosen} id={chosen} />
      ) : (
        <p class="quiet nothing">{text["conversation.choose"]}</p>
      )}
    </div>
  );
}

function Row({
  item,
  chosen,
  choose,
}: {
  item: Conversation;
  chosen: boolean;
  choose: (id: string) => void;
}) {
  const { text, date } = useLanguage();
  const names = item.profiles.map((profile) => profile.name).filter(Boolean);
  return (
    <button
      type="button"
      class="row"
      data-unread={item.unread}
      aria-current={chosen}
      onClick={() => choose(item.id)}
    >
      <span class="who">{names.join(", ")}</span>
      <time class="quiet" dateTime={item.last_mail_at}>
        {date(new Date(item.last_mail_at))}
      </time>
      <span class="subject">{item.subject || text["mail.no-subject"]}</span>
      <span class="quiet snippet">{item.snippet}</span>
    </button>
  );
}
