// A profile: their mails by day, which way each went, and in which role they took part.

import { useEffect, useRef, useState } from "preact/hooks";
import { MailView } from "../conversation/MailView";
import { useLanguage } from "../i18n";
import { Avatar } from "../shared/Avatar";
import { useSession } from "../shared/context";
import { Icon } from "../shared/Icon";
import { Empty, Failure, Skeleton } from "../shared/state";
import { daysOf, isShown, rolesOf, type TimelineFilter, unfiltered } from "./days";
import { useTimeline } from "./use-timeline";

export interface TimelineProps {
  person: string;
  openConversation: (id: string) => void;
  back: (() => void) | undefined;
}

export function Timeline({ person: id, openConversation, back }: TimelineProps) {
  const session = useSession();
  const { text, day } = useLanguage();
  const { mails, person, hidden, next, error, load } = useTimeline(session, id);
  const [filter, setFilter] = useState<TimelineFilter>(unfiltered);
  const [opened, setOpened] = useState<Record<string, boolean>>({});
  const end = useRef<HTMLDivElement>(null);
  const shown = (mails ?? []).filter((mail) => isShown(mail, filter));
  const name = person?.name || text[mails ? "unnamed" : "nav.person"];
  const isEmpty = mails?.length === 0 && next === null;

  useEffect(() => {
    const element = end.current;
    if (!element || !next || error) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) void load(next);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [next, load, error]);

  return (
    <section class="timeline" aria-label={text.timeline(name)}>
      <header>
        {back && (
          <button type="button" class="icon-button" aria-label={text["action.back"]} onClick={back}>
            <Icon name="back" />
          </button>
        )}
        <Avatar name={name} />
        <div>
          <h2>{name}</h2>
          {person && <p class="quiet">{text[`kind.${person.kind}`]}</p>}
          {person && person.person_id !== id && <p class="quiet">{text["timeline.merged"]}</p>}
        </div>
      </header>
      {!isEmpty && <Filters filter={filter} change={setFilter} />}
      {!mails && !error && <Skeleton rows={5} />}
      {hidden && <Empty icon="lock" title={text[`timeline.hidden.${hidden}`]} />}
      {mails && !hidden && shown.length === 0 && next === null && (
        <Empty
          icon="unread"
          title={text[mails.length > 0 ? "timeline.empty.filtered" : "timeline.empty"]}
        >
          {mails.length === 0 && <p class="quiet">{text["timeline.empty.what"]}</p>}
        </Empty>
      )}
      {daysOf(shown).map((one) => (
        <section key={one.key} class="day">
          <h3>{day(one.moment)}</h3>
          {one.mails.map((mail) => {
            const open = opened[mail.id] ?? false;
            return (
              <div key={mail.id} class="entry">
                <p class="about">
                  <span class="subject">{mail.subject || text["mail.no-subject"]}</span>
                  <span class="quiet">
                    {[
                      text[mail.direction === "outbound" ? "timeline.sent" : "timeline.received"],
                      ...rolesOf(mail, person?.person_id ?? id).map(
                        (role) => text[`timeline.as.${role}`],
                      ),
                    ].join(" · ")}
                  </span>
                </p>
                <MailView
                  mail={mail}
                  open={open}
                  timeOnly
                  toggle={() => setOpened((before) => ({ ...before, [mail.id]: !open }))}
                  openConversation={() => openConversation(mail.conversation_id)}
                />
              </div>
            );
          })}
        </section>
      ))}
      {error ? <Failure error={error} retry={() => void load(next ?? undefined)} /> : null}
      <div ref={end} class="list-end quiet">
        {next
          ? text["state.loading"]
          : next === null && shown.length > 0
            ? text["timeline.end"]
            : ""}
      </div>
    </section>
  );
}

function Filters({
  filter,
  change,
}: {
  filter: TimelineFilter;
  change: (filter: TimelineFilter) => void;
}) {
  const { text } = useLanguage();
  const directions = [
    ["all", text["timeline.all"]],
    ["inbound", text["timeline.received"]],
    ["outbound", text["timeline.sent"]],
  ] as const;
  return (
    <div class="filters">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would need a legend on its line */}
      <div class="segments" role="group" aria-label={text["inbox.filters"]}>
        {directions.map(([direction, label]) => (
          <button
            key={direction}
            type="button"
            aria-pressed={filter.direction === direction}
            onClick={() => change({ ...filter, direction })}
          >
            {label}
          </button>
        ))}
      </div>
      <button
        type="button"
        class="toggle"
        aria-pressed={filter.attachments}
        onClick={() => change({ ...filter, attachments: !filter.attachments })}
      >
        {text["timeline.attachments"]}
      </button>
      <button
        type="button"
        class="toggle"
        aria-pressed={filter.written}
        onClick={() => change({ ...filter, written: !filter.written })}
      >
        {text["timeline.automatic"]}
      </button>
    </div>
  );
}
