import { useLanguage } from "../i18n";
import { Icon } from "../shared/Icon";
import { type Invite, timesOf } from "./invite";
import { nameOfAddress } from "./mails";

export interface InviteCardProps {
  invite: Invite;
  from: string;
  /** Saves the event as a file for a calendar. */
  save: (() => void) | undefined;
}

export function InviteCard({ invite, from, save }: InviteCardProps) {
  const language = useLanguage();
  const { text } = language;
  const times = timesOf(invite, language);
  const cancelled = invite.method === "cancel" || invite.status === "cancelled";
  const month = new Intl.DateTimeFormat(language.code, { month: "short" });
  const answers = {
    accepted: text["invite.accepted"],
    declined: text["invite.declined"],
    tentative: text["invite.tentative-answer"],
    "needs-action": text["invite.needs-action"],
    delegated: text["invite.delegated"],
  };
  const reply = invite.method === "reply" ? invite.attendees[0] : undefined;
  const title = cancelled
    ? text["invite.cancelled"]
    : reply
      ? text["invite.reply"](nameOfAddress(reply) || from, answers[reply.partstat])
      : invite.method === "counter"
        ? text["invite.counter"]
        : invite.status === "tentative"
          ? text["invite.tentative"]
          : text[invite.method === "publish" ? "invite.publish" : "invite.request"];
  const kind = cancelled || reply?.partstat === "declined" ? "danger" : reply ? "ok" : "";
  return (
    <section class="invite" data-cancelled={cancelled} aria-label={title}>
      <div class="sheet" aria-hidden="true">
        {times ? (
          <>
            <span>{month.format(times.moment)}</span>
            <strong>{times.moment.getDate()}</strong>
          </>
        ) : (
          <Icon name="calendar" />
        )}
      </div>
      <div class="event">
        <span class={`badge ${kind}`}>{title}</span>
        <h3>{invite.summary || text["invite.no-summary"]}</h3>
        <p>
          {times ? (
            <>
              {times.day}
              {times.time ? `, ${times.time}` : `, ${text["invite.all-day"]}`}
              {times.theirs && (
                <>
                  <span class="quiet"> {text["invite.your-time"]}</span>
                  <br />
                  <span class="quiet">{times.theirs}</span>
                </>
              )}
            </>
          ) : (
            text["invite.no-time"]
          )}
          {invite.recurrence && <span class="badge">{text["invite.repeats"]}</span>}
        </p>
        {invite.location && (
          <p class="with-icon">
            <Icon name="place" />
            {invite.location}
          </p>
        )}
        {invite.conference && /^https:\/\//i.test(invite.conference) && !cancelled && (
          <p class="with-icon">
            <Icon name="video" />
            <a href={invite.conference} target="_blank" rel="noopener noreferrer nofollow">
              {text["invite.join"]}
            </a>
          </p>
        )}
        {save && (
          <p class="with-icon">
            <Icon name="calendar" />
            <button type="button" class="link" onClick={save}>
              {text["invite.save"]}
            </button>
          </p>
        )}
        {invite.organizer && (
          <p class="quiet">{text["invite.organizer"](nameOfAddress(invite.organizer))}</p>
        )}
        {invite.attendees.length > 0 && invite.method !== "reply" && (
          <details>
            <summary>
              {text["invite.attendees"](invite.attendees.length + invite.attendees_left_out)}
            </summary>
            <ul>
              {invite.attendees.map((one) => (
                <li key={one.address}>
                  {nameOfAddress(one)} <span class="quiet">{answers[one.partstat]}</span>
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </section>
  );
}
