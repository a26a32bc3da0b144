// Files of a mail: saved, never opened here. Pictures are previewed as pictures and nothing else.

import { useEffect, useRef, useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { Icon } from "../shared/Icon";
import { bytesOf, download, type Mail } from "./mails";

type Attachment = Mail["attachments"][number];

const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const LARGEST_PREVIEW = 8_000_000;

const TECHNICAL =
  /^(?:message\/(?:delivery-status|disposition-notification)|text\/(?:rfc822-headers|calendar)|application\/(?:ics|pgp-signature|pkcs7-signature|x-pkcs7-signature))$/;

/** Returns the calendar that an invitation was read from, to be put into the reader's own. */
export function calendarOf(mail: Mail): Attachment | undefined {
  return mail.invite ? mail.attachments.find(isCalendar) : undefined;
}

/** Returns the files that the sender attached, without those that mail programs add. */
export function filesOf(mail: Mail): Attachment[] {
  return mail.attachments.filter(
    (one) => !TECHNICAL.test(one.content_type) || (isCalendar(one) && !mail.invite),
  );
}

function isCalendar(one: Attachment): boolean {
  return /calendar|\/ics/.test(one.content_type);
}

export function Attachments({ mail }: { mail: Mail }) {
  const session = useSession();
  const { text, bytes } = useLanguage();
  const [failed, setFailed] = useState(false);
  const files = filesOf(mail);
  const calendar = calendarOf(mail);
  const technical = mail.attachments.filter((one) => !files.includes(one) && one !== calendar);
  if (files.length + technical.length === 0) return null;
  const pathOf = (one: Attachment) =>
    `/v1/mails/${mail.id}/attachments/${one.index}?variant=${mail.variant}`;
  const listOf = (some: Attachment[]) => (
    <ul>
      {some.map((one) => (
        <li key={one.index}>
          <button
            type="button"
            class="attachment"
            title={one.filename}
            onClick={() => {
              setFailed(false);
              download(session, pathOf(one), one.filename).catch(() => setFailed(true));
            }}
          >
            <span class="sr">{text["attachments.download"]}</span>
            <Preview attachment={one} path={pathOf(one)} />
            <span class="name">{one.filename}</span>
            <span class="quiet">
              {kindOf(one)} · {bytes(one.size)}
            </span>
            <Icon name="download" />
          </button>
        </li>
      ))}
    </ul>
  );
  return (
    <section class="attachments" aria-label={text.attachments}>
      {files.length > 0 && listOf(files)}
      {technical.length > 0 && (
        <details>
          <summary>{text["attachments.technical"](technical.length)}</summary>
          {listOf(technical)}
        </details>
      )}
      {failed && <p role="alert">{text["mail.download-failed"]}</p>}
    </section>
  );
}

function Preview({ attachment, path }: { attachment: Attachment; path: string }) {
  const session = useSession();
  const place = useRef<HTMLSpanElement>(null);
  const [url, setUrl] = useState<string>();
  const isPicture = PICTURES.has(attachment.content_type) && attachment.size <= LARGEST_PREVIEW;
  useEffect(() => {
    const element = place.current;
    if (!element || !isPicture) return;
    const abort = new AbortController();
    let made: string | undefined;
    const load = async () => {
      const bytes = await bytesOf(session, path, abort.signal);
      made = URL.createObjectURL(new Blob([bytes], { type: attachment.content_type }));
      setUrl(made);
    };
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      load().catch(() => {}); // its name and its size are there
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      abort.abort();
      if (made) URL.revokeObjectURL(made);
    };
  }, [session, path, attachment, isPicture]);
  return (
    <span class="preview" ref={place}>
      {url ? <img src={url} alt="" /> : <Icon name={isPicture ? "picture" : "file"} />}
    </span>
  );
}

/** Returns the kind of a file as one word: its extension, else the end of its type. */
export function kindOf(one: { filename: string; content_type: string }): string {
  const [, extension] = /\.([a-z0-9]{1,5})$/i.exec(one.filename) ?? [];
  return (extension ?? one.content_type.split("/").at(-1) ?? "").toUpperCase().slice(0, 12);
}
