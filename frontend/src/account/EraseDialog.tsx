// Erases a person: what goes, what stays, the id as a second look, then how far it is and the receipt.

import { useState } from "preact/hooks";
import { useSession } from "../shared/context";
import { Icon } from "../shared/Icon";
import { Dialog, focused } from "./Dialog";
import { ErasureState } from "./ErasureState";
import { calledBy, type Erasure, erase, type Person, type Refusal, refusalOf } from "./life";
import { useAccountText } from "./texts";

export interface EraseDialogProps {
  person: Person;
  closed: () => void;
  changed: (erasure: Erasure) => void;
}

export function EraseDialog({ person, closed, changed }: EraseDialogProps) {
  const session = useSession();
  const text = useAccountText();
  const [typed, setTyped] = useState("");
  const [erasure, setErasure] = useState<Erasure>();
  const [refused, setRefused] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const name = calledBy(person);
  const isConfirmed = typed.trim() === person.person_id;
  const attempt = async () => {
    setRefused(undefined);
    setBusy(true);
    try {
      const asked = await erase(session, person.person_id);
      setErasure(asked);
      changed(asked);
    } catch (error) {
      setRefused(refusalOf(error));
    }
    setBusy(false);
  };
  return (
    <Dialog title={text["erase.title"](name)} closed={closed}>
      {(close) =>
        erasure ? (
          <>
            <ErasureState
              erasure={erasure}
              changed={(now) => {
                setErasure(now);
                changed(now);
              }}
            />
            <p class="actions">
              <button type="button" class="button" ref={focused} onClick={close}>
                {text.done}
              </button>
            </p>
          </>
        ) : (
          <form
            class="erasure"
            onSubmit={(event) => {
              event.preventDefault();
              if (isConfirmed && !busy) void attempt();
            }}
          >
            <p class="note danger">
              <Icon name="alert" />
              {text["erase.final"]}
            </p>
            <div>
              <h3>{text["erase.goes"]}</h3>
              <ul class="bullets">
                <li>{text["erase.goes.person"]}</li>
                <li>{text["erase.goes.mail"]}</li>
                <li>{text["erase.goes.named"]}</li>
                <li>{text["erase.goes.merged"]}</li>
              </ul>
            </div>
            <div>
              <h3>{text["erase.stays"]}</h3>
              <ul class="bullets">
                <li>{text["erase.stays.words"]}</li>
                <li>{text["erase.stays.proof"]}</li>
                <li>{text["erase.stays.backups"]}</li>
              </ul>
            </div>
            <label class="choice">
              <span>
                {text["erase.type"]} <code>{person.person_id}</code>
              </span>
              <input
                class="field"
                autocomplete="off"
                autocapitalize="off"
                spellcheck={false}
                value={typed}
                onInput={(event) => setTyped(event.currentTarget.value)}
              />
            </label>
            {refused && (
              <p class="note danger" role="alert">
                {refused === "failed" ? text.failed : text[`refused.${refused}`]}
              </p>
            )}
            <p class="actions">
              <button type="submit" class="button danger" disabled={!isConfirmed || busy}>
                {text["erase.act"]}
              </button>
              <button type="button" class="button" onClick={close}>
                {text.cancel}
              </button>
            </p>
          </form>
        )
      }
    </Dialog>
  );
}
