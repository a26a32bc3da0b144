// Files of a mail: saved, never opened here. Pictures are previewed as pictures and nothing else.

import { useEffect, useRef, useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { Icon } from "../shared/Icon";
import { bytesOf, download, type Mail } from "./mails";

type Attachment = Mail["attachments"][number];

const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const LARGEST_PREVIEW = 8_000_000;

export function Attachments({ mail }: { mail: Mail }) {
  const session = useSession();
  const { text, bytes } = useLanguage();
  const [failed, setFailed] = useState(false);
  if (mail.attachments.length === 0) return null;
  const pathOf = (one: Attachment) => `/v1/mails/${mail.id}/attachments/${one.index}`;
  return (
    <section class="attachments" aria-label={text.attachments}>
      <ul>
        {mail.attachments.map((one) => (
          <li key={one.index}>
            <button
              type="button"
              class="attachment"
              aria-label={text["attachments.download"](one.filename)}
              title={one.filename}
              onClick={() => {
                setFailed(false);
                download(session, pathOf(one), one.filename).catch(() => setFailed(true));
              }}
            >
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

/** Returns the kind of a file in a word: its extension, else the end of its type. */
export function kindOf(one: { filename: string; content_type: string }): string {
  const [, extension] = /\.([a-z0-9]{1,5})$/i.exec(one.filename) ?? [];
  return (extension ?? one.content_type.split("/").at(-1) ?? "").toUpperCase().slice(0, 12);
}
