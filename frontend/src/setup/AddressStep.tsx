// The capture address: made, copied, saved as a contact.

import { useState } from "preact/hooks";
import { Problem } from "../api/session";
import { download } from "../conversation/mails";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { Icon } from "../shared/Icon";
import { CopyButton } from "./CopyButton";
import { mint } from "./calls";
import type { Setup } from "./shapes";
import { useSetupText } from "./texts";

export function AddressStep({ setup, again }: { setup: Setup; again: () => void }) {
  const session = useSession();
  const text = useSetupText();
  const { moment } = useLanguage();
  const [problem, setProblem] = useState<string>();
  const active = setup.capture_addresses.find((one) => one.state === "active");
  const old = setup.capture_addresses.filter((one) => one.state === "grace");
  const make = () => {
    setProblem(undefined);
    mint(session).then(again, (error: unknown) =>
      setProblem(
        error instanceof Problem && error.status === 422
          ? "address.not-user"
          : "address.make-failed",
      ),
    );
  };
  return (
    <>
      <p class="quiet">{text["address.what"]}</p>
      {active ? (
        <div class="address">
          <code>
            <Address address={active.address} />
          </code>
          <span class="actions">
            <CopyButton value={active.address} />
            <button
              type="button"
              class="button"
              title={text["address.card.what"]}
              onClick={() => {
                setProblem(undefined);
                const path = `/v1/capture-addresses/${encodeURIComponent(active.address)}/contact.vcf`;
                download(session, path, "satchel.vcf").catch(() => setProblem("failed"));
              }}
            >
              <Icon name="person" />
              {text["address.card"]}
            </button>
          </span>
        </div>
      ) : (
        <div class="address">
          <span>{text["address.none"]}</span>
          <button type="button" class="button primary" onClick={make}>
            {text["address.make"]}
          </button>
        </div>
      )}
      {active && <p class="quiet small">{text["address.card.what"]}</p>}
      {old.map((one) => (
        <p key={one.address} class="quiet small">
          {one.valid_until && text["address.old"](moment(new Date(one.valid_until)))}{" "}
          <code>{one.address}</code>
        </p>
      ))}
      {problem && (
        <p class="note danger" role="alert">
          {text[problem as "failed"]}
        </p>
      )}
    </>
  );
}

/** An address that may break where a reader expects it. */
function Address({ address }: { address: string }) {
  const at = address.lastIndexOf("@");
  return (
    <>
      {address.slice(0, at)}
      <wbr />
      {address.slice(at)}
    </>
  );
}
