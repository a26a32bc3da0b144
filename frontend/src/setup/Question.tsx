// A provider's question whether it may forward: the code, or the link, and what to be careful of.

import { useLanguage } from "../i18n";
import { Icon } from "../shared/Icon";
import { CopyButton } from "./CopyButton";
import { doubtOf, hostOf } from "./progress";
import type { Confirmation } from "./shapes";
import { useSetupText } from "./texts";

export interface QuestionProps {
  question: Confirmation;
  /** The user's own addresses. */
  mailboxes: readonly string[];
}

export function Question({ question, mailboxes }: QuestionProps) {
  const text = useSetupText();
  const { moment } = useLanguage();
  const host = question.link ? hostOf(question.link) : undefined;
  const provider = nameOf(question.provider);
  const doubt = doubtOf(question, mailboxes);
  return (
    <section class="question" aria-label={text["question.title"](provider)}>
      <header>
        <Icon name="unread" />
        <h2>{text["question.title"](provider)}</h2>
        <span class="quiet small">{moment(new Date(question.at))}</span>
      </header>
      {question.requested_by && <p>{text["question.for"](question.requested_by)}</p>}
      {doubt && (
        <p class={`note ${doubt === "unproved" ? "warn" : "danger"}`}>
          <Icon name="alert" />
          {text[`question.doubt.${doubt}`](provider)}
        </p>
      )}
      {question.code && host && <p>{text["question.either"]}</p>}
      <div class="answer">
        {question.code && (
          <span class="code">
            <span class="quiet small">{text["question.code"](provider)}</span>
            <code>{question.code}</code>
            <CopyButton value={question.code} label={text["question.code"](provider)} />
          </span>
        )}
        {host && question.link && (
          <a
            class={doubt ? "button" : "button primary"}
            href={question.link}
            target="_blank"
            rel="noopener noreferrer"
          >
            {text["question.link"](host)}
          </a>
        )}
      </div>
      <p class="quiet small">
        {text["question.check"]} {text["question.then"]}
      </p>
    </section>
  );
}

const NAMES: Record<string, string> = {
  gmail: "Gmail",
  proton: "Proton",
  cloudflare: "Cloudflare",
  qq: "QQ Mail",
  zoho: "Zoho Mail",
  "tencent-exmail": "Tencent Exmail",
  "china-mobile": "139 Mail",
  yahoo: "Yahoo Mail",
};

/** Returns a provider's name as it calls itself. */
export function nameOf(provider: string): string {
  return NAMES[provider] ?? provider.charAt(0).toUpperCase() + provider.slice(1);
}
