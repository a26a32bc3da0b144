// What needs the user, in words, with the one thing to do about it.

import { useLanguage } from "../i18n";
import { Icon } from "../shared/Icon";
import { nameOf } from "./Question";
import type { Notice } from "./shapes";
import { useSetupText } from "./texts";

export function Notices({ notices, rotate }: { notices: readonly Notice[]; rotate: () => void }) {
  const text = useSetupText();
  const { moment, day } = useLanguage();
  const said = (notice: Notice): string => {
    if (notice.kind === "leak")
      return notice.mail_date
        ? text["notice.leak"](day(new Date(notice.mail_date)))
        : text["notice.leak.unknown"];
    if (notice.kind === "silent_half" && notice.half)
      return text[`notice.silent_half.${notice.half}`](moment(new Date(notice.since)));
    if (notice.kind === "confirmation_expired" && notice.provider)
      return text["notice.confirmation_expired"](nameOf(notice.provider));
    if (notice.kind === "round_trip_failed") return text["notice.round_trip_failed"];
    return text["notice.other"];
  };
  return (
    <ul class="notices">
      {notices.map((notice) => (
        <li
          key={`${notice.kind}${notice.since}`}
          class={`note ${notice.kind === "leak" ? "danger" : "warn"}`}
        >
          <Icon name="alert" />
          <span>{said(notice)}</span>
          {notice.kind === "leak" && (
            <button type="button" class="button" onClick={rotate}>
              {text["notice.leak.act"]}
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
