// Which provider's steps are shown: that of the mailbox, or the one that the user chose.

import { useLanguage } from "../i18n";
import type { Guides } from "./shapes";
import { useSetupText } from "./texts";

export interface Choice {
  guide?: string;
  address?: string;
}

const KINDS = ["provider", "client", "company"] as const;

export function GuidePicker({
  guides,
  choose,
}: {
  guides: Guides;
  choose: (choice: Choice) => void;
}) {
  const text = useSetupText();
  const { code } = useLanguage();
  const why = {
    caller: text["guide.own-choice"],
    mail_hosts: text["guide.chosen"](guides.guide.name),
    nothing: text["guide.unknown"],
  }[guides.chosen_by];
  return (
    <div class="picker">
      {guides.mailboxes.length > 1 && (
        <label>
          {text["guide.mailbox"]}
          <select
            class="field"
            value={guides.mailbox ?? ""}
            onChange={(event) => choose({ address: event.currentTarget.value })}
          >
            {guides.mailboxes.map((address) => (
              <option key={address} value={address}>
                {address}
              </option>
            ))}
          </select>
        </label>
      )}
      <label>
        {text["guide.for"]}
        <select
          class="field"
          value={guides.guide.id}
          onChange={(event) =>
            choose({
              guide: event.currentTarget.value,
              ...(guides.mailbox && { address: guides.mailbox }),
            })
          }
        >
          {KINDS.map((kind) => {
            const some = guides.choices.filter((one) => one.kind === kind);
            return some.length === 0 ? null : (
              <optgroup key={kind} label={text[`guide.kind.${kind}`]}>
                {some.map((one) => (
                  <option key={one.id} value={one.id}>
                    {one.name}
                  </option>
                ))}
              </optgroup>
            );
          })}
        </select>
      </label>
      <div>
        <p class="quiet small">{why}</p>
        {!code.startsWith(guides.language) && <p class="quiet small">{text["guide.language"]}</p>}
      </div>
    </div>
  );
}
