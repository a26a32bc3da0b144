// The set-up window: mails that match no profile, shown to their owner at the owner's request.

import { useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { useFetched } from "../shared/use-fetched";
import { call } from "./calls";
import type { Watched } from "./shapes";
import { useSetupText } from "./texts";

interface Window {
  until: string;
}

export function WatchWindow({ watched, again }: { watched: Watched[]; again: () => void }) {
  const session = useSession();
  const text = useSetupText();
  const { time, moment } = useLanguage();
  const { value: before } = useFetched(
    async () => (await call<{ window: Window | null }>(session, "GET", "/v1/setup:watch"))?.window,
    [session],
  );
  const [asked, setAsked] = useState<Window>();
  const until = (asked ?? before)?.until;
  const [failed, setFailed] = useState(false);
  const open = async () => {
    setFailed(false);
    try {
      setAsked(await call<Window>(session, "POST", "/v1/setup:watch"));
      again();
    } catch {
      setFailed(true);
    }
  };
  return (
    <details class="more" open={watched.length > 0 || until !== undefined}>
      <summary>{text["watch.title"]}</summary>
      <p class="quiet">{text["watch.what"]}</p>
      <p class="line">
        <button type="button" class="button" onClick={() => void open()}>
          {text["watch.act"]}
        </button>
        {until && <span role="status">{text["watch.open"](time(new Date(until)))}</span>}
        {failed && <span role="alert">{text.failed}</span>}
      </p>
      {watched.length > 0 && <p class="note warn">{text["watch.careful"]}</p>}
      <ul class="watched" aria-label={text["watch.seen"]}>
        {watched.map((mail) => (
          <li key={`${mail.received_at}${mail.subject}`}>
            <h3>{mail.subject}</h3>
            <p class="quiet small">
              {mail.sender?.address ?? text["watch.no-sender"]} ·{" "}
              {moment(new Date(mail.received_at))}
            </p>
            <p class="mail-text">{mail.text}</p>
            {mail.links.length > 0 && (
              <ul class="links" aria-label={text["watch.links"]}>
                {mail.links.map((link) => (
                  <li key={link}>
                    <code>{link}</code>
                  </li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}
