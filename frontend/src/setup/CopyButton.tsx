// Copies a text, and says for a moment that it did.

import { useEffect, useState } from "preact/hooks";
import { Icon } from "../shared/Icon";
import { useSetupText } from "./texts";

const SAID = 2000; // milliseconds

export function CopyButton({ value, label }: { value: string; label?: string }) {
  const text = useSetupText();
  const [said, setSaid] = useState<"copied" | "copy-failed">();
  useEffect(() => {
    if (!said) return;
    const timer = setTimeout(() => setSaid(undefined), SAID);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <>
      <button
        type="button"
        class="button copy"
        aria-label={label && `${text["address.copy"]}: ${label}`}
        onClick={() =>
          navigator.clipboard.writeText(value).then(
            () => setSaid("copied"),
            () => setSaid("copy-failed"),
          )
        }
      >
        <Icon name={said === "copied" ? "check" : "copy"} />
        {said ? text[`address.${said}`] : text["address.copy"]}
      </button>
      <span class="sr" role="status">
        {said && text[`address.${said}`]}
      </span>
    </>
  );
}
