import { useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { Failure } from "../shared/state";
import { useFetched } from "../shared/use-fetched";
import { Attachments, calendarOf } from "./Attachments";
import { InviteCard } from "./InviteCard";
import { MailFrame } from "./MailFrame";
import { download, type Mail, mailOf, nameOf, nameOfAddress } from "./mails";
import { PlainBody } from "./PlainText";

export function MailBody({ mail }: { mail: Mail }) {
  const session = useSession();
  const { text, list } = useLanguage();
  const [chosen, setVariant] = useState<string>();
  const variant = chosen ?? mail.variant;
  const [failed, setFailed] = useState(false);
  const { value, error, again } = useFetched(
    (signal) => mailOf(session, mail.id, variant, signal),
    [session, mail.id, variant],
  );
  if (error) return <Failure error={error} retry={again} />;
  if (!value) return <div class="body-skeleton" role="status" aria-label={text["state.loading"]} />;
  const from = nameOfAddress(value.from);
  const isVerified = value.authentication.verdict === "verified" && !value.forwarded_by;
  const calendar = calendarOf(value);
  return (
    <div class="body">
      {mail.variants.length > 0 && (
        <label class="note">
          {text["mail.variants"]}
          <select
            class="field"
            value={chosen ?? ""}
            onChange={(event) => setVariant(event.currentTarget.value || undefined)}
          >
            <option value="">{text["mail.variant.main"]}</option>
            {mail.variants.map((one) => (
              <option key={one.id} value={one.id}>
                {text["mail.variant.of"](list(one.captured_by.map((id) => nameOf(mail, id))))}
              </option>
            ))}
          </select>
        </label>
      )}
      {value.invite && (
        <InviteCard
          invite={value.invite}
          from={from}
          save={
            calendar &&
            (() =>
              void download(
                session,
                `/v1/mails/${mail.id}/attachments/${calendar.index}?variant=${variant}`,
                "invite.ics",
              ).catch(() => setFailed(true)))
          }
        />
      )}
      {failed && <p role="alert">{text["mail.download-failed"]}</p>}
      {value.html ? (
        <MailFrame
          key={variant}
          html={value.html}
          from={from}
          sender={isVerified ? value.from?.address : undefined}
          imagePath={`/v1/mails/${mail.id}/images?variant=${variant}`}
        />
      ) : (
        <PlainBody mail={value} />
      )}
      <Attachments key={variant} mail={value} />
    </div>
  );
}
