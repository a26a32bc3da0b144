// A mail's whole header, and why it is here: which address matched, whose capture, verified or not.

import { useEffect, useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { Icon } from "../shared/Icon";
import { type Mail, nameOf } from "./mails";
import { verificationOf } from "./verification";

const verificationIcons = { ok: "shield", warn: "alert", danger: "alert", "": "help" } as const;

type Address = { name: string; address: string };

export function Details({ mail }: { mail: Mail }) {
  const { text, moment } = useLanguage();
  const fields: [string, readonly Address[]][] = [
    [text["field.from"], mail.from ? [mail.from] : []],
    [text["field.to"], mail.to],
    [text["field.cc"], mail.cc],
    [text["field.bcc"], mail.bcc],
    [text["field.reply-to"], mail.reply_to],
  ];
  return (
    <div class="details">
      <dl>
        {fields
          .filter(([, people]) => people.length > 0)
          .map(([label, people]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>
                {people.map((one) => (
                  <span key={one.address} class="person">
                    {one.name && `${one.name} `}
                    <span class="quiet">{one.address}</span>
                  </span>
                ))}
              </dd>
            </div>
          ))}
        <div>
          <dt>{text["field.date"]}</dt>
          <dd>{moment(new Date(mail.date))}</dd>
        </div>
      </dl>
      <Why mail={mail} />
    </div>
  );
}

function Why({ mail }: { mail: Mail }) {
  const session = useSession();
  const { text, moment } = useLanguage();
  const [me, setMe] = useState<string>();
  useEffect(() => void session.claims().then(({ sub }) => setMe(sub)), [session]);
  const verification = verificationOf(mail, text);
  const sentences = {
    header: text["why.match"],
    forwarded_body: (address: string, _: string, name: string) =>
      text["why.match.forwarded"](address, name),
    delivery_report: (address: string, _: string, name: string) =>
      text["why.match.report"](address, name),
  };
  return (
    <section class="why" aria-label={text["why.title"]}>
      <h3>{text["why.title"]}</h3>
      <ul>
        {mail.matches.map((match) => (
          <li key={`${match.person_id} ${match.address} ${match.role}`}>
            <Icon name="person" />
            <span>
              {sentences[match.source ?? "header"](
                match.address,
                text[`role.${match.role}`],
                nameOf(mail, match.person_id),
              )}{" "}
              {match.shared_address && text["why.shared"]}
            </span>
          </li>
        ))}
        {mail.captured_by.map((capture) => (
          <li key={`${capture.person_id} ${capture.at}`}>
            <Icon name="inbox" />
            <span>
              {capture.person_id === me
                ? text["why.captured.own"](moment(new Date(capture.at)))
                : text["why.captured"](
                    nameOf(mail, capture.person_id),
                    moment(new Date(capture.at)),
                  )}
            </span>
          </li>
        ))}
        <li data-kind={verification.kind}>
          <Icon name={verificationIcons[verification.kind]} />
          <span>{verification.long}</span>
        </li>
      </ul>
    </section>
  );
}
