// The dialog that `?` opens: every key, and the switch that turns them off.

import { useEffect, useRef, useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { Icon } from "./Icon";
import { keysAreOff, switchKeys } from "./keyboard";

export function Shortcuts({ keys, close }: { keys: [string, string][]; close: () => void }) {
  const { text } = useLanguage();
  const dialog = useRef<HTMLDialogElement>(null);
  const [on, setOn] = useState(!keysAreOff());
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="shortcuts" onClose={close} aria-label={text["keys.title"]}>
      <header>
        <h2>{text["keys.title"]}</h2>
        <button
          type="button"
          class="icon-button"
          aria-label={text["action.close"]}
          onClick={() => dialog.current?.close()}
        >
          <Icon name="close" />
        </button>
      </header>
      <dl>
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>{what}</dt>
            <dd>
              {key.split(" ").map((part) => (
                <kbd key={part}>{part}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <label>
        <input
          type="checkbox"
          checked={on}
          onChange={(event) => {
            setOn(event.currentTarget.checked);
            switchKeys(event.currentTarget.checked);
          }}
        />
        {text["keys.on"]}
      </label>
    </dialog>
  );
}
