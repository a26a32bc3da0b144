// One mail: a head that folds it, its marks, its text, its files.

import { useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { Avatar } from "../shared/Avatar";
import { useSession } from "../shared/context";
import { Icon } from "../shared/Icon";
import { Popover } from "../shared/Popover";
import { filesOf } from "./Attachments";
import { Details } from "./Details";
import { MailBody } from "./MailBody";
import { download, type Mail, nameOfAddress } from "./mails";
import { RulingItems, RulingNotes, useRulings } from "./Rulings";
import { verificationOf } from "./verification";

const MOST_NAMES = 3;

export interface MailViewProps {
  mail: Mail;
  open: boolean;
  toggle: () => void;
  /** Where it is shown outside of its conversation. */
  openConversation?: () => void;
  /** Where its day is said around it. */
  timeOnly?: boolean;
  /** Told when the reader has decided something about it: `gone`, it is deleted. */
  changed?: (gone: boolean) => void;
}

export function MailView({
  mail,
  open,
  toggle,
  openConversation,
  timeOnly,
  changed,
}: MailViewProps) {
  const session = useSession();
  const rulings = useRulings(mail, changed);
  const { text, date, time, moment, list } = useLanguage();
  const [details, setDetails] = useState(false);
  const [failed, setFailed] = useState(false);
  const from = nameOfAddress(mail.from) || text["mail.no-sender"];
  const to = [...mail.to, ...mail.cc];
  const names = to.slice(0, MOST_NAMES).map(nameOfAddress);
  const more = to.length - names.length;
  const at = new Date(mail.date);
  const outbound = mail.direction === "outbound";
  return (
    <article class="mail" data-open={open} data-direction={mail.direction}>
      <header>
        <button type="button" class="head" aria-expanded={open} onClick={toggle}>
          <Avatar name={from} />
          <span class="who">
            <strong>{from}</strong>
            <Marks mail={mail} />
          </span>
          <time dateTime={mail.date} title={moment(at)}>
            <span class="direction" title={text[outbound ? "mail.sent" : "mail.received"]}>
              <Icon name={outbound ? "out" : "in"} />
              <span class="sr">{text[outbound ? "mail.sent" : "mail.received"]}</span>
            </span>
            {open ? moment(at) : timeOnly ? time(at) : date(at)}
          </time>
          <span class="under">
            {open
              ? `${text["mail.to"]} ${list(names)}${more > 0 ? ` ${text["mail.others"](more)}` : ""}`
              : mail.snippet}
          </span>
        </button>
        {open && (
          <div class="head-tools">
            <button
              type="button"
              class="icon-button why-button"
              aria-label={`${text["mail.details"]} · ${text["why.title"]}`}
              title={`${text["mail.details"]} · ${text["why.title"]}`}
              aria-expanded={details}
              onClick={() => setDetails(!details)}
            >
              <Icon name="info" />
              <span aria-hidden="true">{text["why.title"]}</span>
            </button>
            <Popover label={text["mail.menu"]} icon="dots" class="menu">
              {(close) => (
                <>
                  <button
                    type="button"
                    onClick={() => {
                      setFailed(false);
                      const raw = `/v1/mails/${mail.id}/raw?variant=${mail.variant}`;
                      download(session, raw, `${fileName(mail)}.eml`).catch(() => setFailed(true));
                      close();
                    }}
                  >
                    <Icon name="download" />
                    {text["mail.original"]}
                  </button>
                  <button
                    type="button"
                    onClick={() => {
                      setDetails(true);
                      close();
                    }}
                  >
                    <Icon name="info" />
                    {text["why.title"]}
                  </button>
                  {rulings && <RulingItems rulings={rulings} close={close} />}
                  {openConversation && (
                    <button
                      type="button"
                      onClick={() => {
                        close();
                        openConversation();
                      }}
                    >
                      <Icon name="inbox" />
                      {text["mail.open-conversation"]}
                    </button>
                  )}
                </>
              )}
            </Popover>
          </div>
        )}
      </header>
      {failed && (
        <p class="note danger" role="alert">
          {text["mail.download-failed"]}
        </p>
      )}
      {open && rulings && <RulingNotes rulings={rulings} />}
      {open && details && <Details mail={mail} />}
      {open && <Warnings mail={mail} />}
      {open && <MailBody mail={mail} />}
    </article>
  );
}

function Marks({ mail }: { mail: Mail }) {
  const { text } = useLanguage();
  const files = filesOf(mail).length;
  const verification = verificationOf(mail, text);
  return (
    <>
      {mail.auto && (
        <span
          class={`badge ${mail.auto === "bounce" ? "danger" : mail.auto === "delay" ? "warn" : ""}`}
        >
          {text[`auto.${mail.auto}`]}
        </span>
      )}
      {mail.bounced.length > 0 && <span class="badge danger">{text["auto.bounce"]}</span>}
      {verification.kind === "danger" && <span class="badge danger">{verification.short}</span>}
      {verification.kind === "ok" && (
        <span class="verified" title={verification.long}>
          <Icon name="shield" />
          <span class="sr">{verification.short}</span>
        </span>
      )}
      {files > 0 && (
        <span class="clip" title={text["attachments.count"](files)}>
          <Icon name="clip" />
          <span class="sr">{text["attachments.count"](files)}</span>
        </span>
      )}
    </>
  );
}

/** What a reader has to know before the text. */
function Warnings({ mail }: { mail: Mail }) {
  const { text } = useLanguage();
  const verification = verificationOf(mail, text);
  const warnings = [
    ...(verification.kind === "danger" ? [["danger", verification.long]] : []),
    ...mail.bounced.map((one) => [
      "danger",
      one.address ? text["bounced.to"](one.address) : text["bounced.all"],
    ]),
    ...(mail.incomplete ? [["warn", text["mail.incomplete"]]] : []),
    ...(mail.forwarded_by
      ? [["", text["mail.forwarded-by"](nameOfAddress(mail.forwarded_by))]]
      : []),
  ];
  return (
    <>
      {warnings.map(([kind, what]) => (
        <p key={what} class={`note ${kind}`}>
          <Icon name={kind ? "alert" : "info"} />
          {what}
        </p>
      ))}
    </>
  );
}

function fileName(mail: Mail): string {
  const words = mail.subject.replace(/[^\p{L}\p{N} _-]+/gu, " ").trim();
  return words.slice(0, 60).trim() || mail.id;
}
