// What a reader decides about a mail: removed from a profile, private, deleted. Each decision can be
// seen on the mail and taken back there, but the last, which is asked about first.

import { useEffect, useState } from "preact/hooks";
import { type Claims, dataOf } from "../api/session";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { Icon } from "../shared/Icon";
import { type Mail, nameOf } from "./mails";

export interface Rulings {
  mail: Mail;
  /** Whether the reader's own capture address caught the mail. */
  own: boolean;
  asking: boolean;
  failed: boolean;
  ask: (asking: boolean) => void;
  detach: (person: string, undo?: boolean) => void;
  hide: (undo?: boolean) => void;
  remove: () => void;
}

/** Returns what the reader may decide; nothing without the scope, or where no listener hears of it. */
export function useRulings(mail: Mail, changed?: (gone: boolean) => void): Rulings | undefined {
  const session = useSession();
  const [claims, setClaims] = useState<Claims>();
  const [asking, ask] = useState(false);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    session.claims().then(setClaims, () => undefined);
  }, [session]);
  if (!changed || !claims?.scopes.has("timeline:write")) return undefined;
  const rule = (
    call: () => Promise<{ response: Response; data?: unknown; error?: unknown }>,
    gone = false,
  ) => {
    setFailed(false);
    call().then(
      (answer) => {
        try {
          dataOf(answer);
          ask(false);
          changed(gone);
        } catch {
          setFailed(true);
        }
      },
      () => setFailed(true),
    );
  };
  const at = { mail_id: mail.id };
  return {
    mail,
    own: mail.captured_by.some((capture) => capture.person_id === claims.sub),
    asking,
    failed,
    ask,
    detach: (person, undo) => {
      const params = { path: { ...at, person_id: person } };
      const path = "/v1/mails/{mail_id}/matches/{person_id}";
      rule(() => (undo ? session.api.PUT(path, { params }) : session.api.DELETE(path, { params })));
    },
    hide: (undo) =>
      rule(() =>
        session.api.PUT("/v1/mails/{mail_id}/visibility", {
          params: { path: at },
          body: { visibility: undo ? "team" : "private" },
        }),
      ),
    remove: () =>
      rule(
        () =>
          session.api.DELETE("/v1/mails/{mail_id}", {
            params: { path: at, query: { captures: "own" } },
          }),
        true,
      ),
  };
}

/** The entries of the mail's menu. */
export function RulingItems({ rulings, close }: { rulings: Rulings; close: () => void }) {
  const { text } = useLanguage();
  const { mail, own } = rulings;
  const people = [...new Set(mail.matches.map((match) => match.person_id))];
  const then = (act: () => void) => () => {
    act();
    close();
  };
  return (
    <>
      {people.map((id) => (
        <button key={id} type="button" onClick={then(() => rulings.detach(id))}>
          <Icon name="close" />
          {text["rule.detach"](nameOf(mail, id))}
        </button>
      ))}
      {own && !mail.private && (
        <button type="button" onClick={then(() => rulings.hide())}>
          <Icon name="lock" />
          {text["rule.hide"]}
        </button>
      )}
      {own && (
        <button type="button" onClick={then(() => rulings.ask(true))}>
          <Icon name="bin" />
          {text["rule.delete"]}
        </button>
      )}
    </>
  );
}

/** What was decided, with the way back, and the second look before a mail is deleted. */
export function RulingNotes({ rulings }: { rulings: Rulings }) {
  const { text } = useLanguage();
  const { mail } = rulings;
  return (
    <>
      {rulings.failed && (
        <p class="note danger" role="alert">
          {text["rule.failed"]}
        </p>
      )}
      {rulings.asking && (
        <div class="note danger" role="alert">
          <Icon name="alert" />
          <span>{text["rule.delete.what"]}</span>
          <button type="button" class="button danger" onClick={rulings.remove}>
            {text["rule.delete.yes"]}
          </button>
          <button type="button" class="button" onClick={() => rulings.ask(false)}>
            {text["rule.delete.no"]}
          </button>
        </div>
      )}
      {mail.private && (
        <p class="note" role="status">
          <Icon name="lock" />
          {text["rule.private"]}
          <button type="button" class="button" onClick={() => rulings.hide(true)}>
            {text["rule.show"]}
          </button>
        </p>
      )}
      {mail.detached.map((id) => (
        <p key={id} class="note" role="status">
          <Icon name="info" />
          {text["rule.detached"](nameOf(mail, id))}
          <button type="button" class="button" onClick={() => rulings.detach(id, true)}>
            {text["rule.attach"]}
          </button>
        </p>
      ))}
    </>
  );
}
