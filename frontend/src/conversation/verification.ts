// Whether a mail is from whom it says, in words. Pure.

import type { Catalogue } from "../i18n";
import type { Mail } from "./mails";

export interface Verification {
  kind: "ok" | "warn" | "danger" | "";
  short: string;
  /** One or two sentences. */
  long: string;
}

export function verificationOf(
  mail: Pick<Mail, "authentication" | "direction" | "from" | "forwarded_by">,
  text: Catalogue,
): Verification {
  const { verdict, method, domain } = mail.authentication;
  const said = domain ?? (mail.forwarded_by ?? mail.from)?.address.split("@").at(-1) ?? "?";
  if (verdict === "failed")
    return {
      kind: "danger",
      short: text["verified.failed.short"],
      long: text["verified.failed"](said),
    };
  if (verdict === "verified") {
    const how = method ? ` ${text[`verified.by.${method}`]}` : "";
    return {
      kind: "ok",
      short: text["verified.verified.short"],
      long: text["verified.verified"](said) + how,
    };
  }
  if (mail.direction === "outbound")
    return { kind: "", short: "", long: text["verified.unverified"] };
  return {
    kind: "",
    short: text["verified.unverified.short"],
    long: text["verified.unverified"],
  };
}
