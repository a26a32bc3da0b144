// A provider's question whether it may forward: the code, or the link, and what to be careful of.

import { useLanguage } from "../i18n";
import { Icon } from "../shared/Icon";
import { CopyButton } from "./CopyButton";
import { hostOf } from "./progress";
import type { Confirmation } from "./shapes";
import { useSetupText } from "./texts";

export function Question({ question }: { question: Confirmation }) {
  const text = useSetupText();
  const { moment } = useLanguage();
  const host = question.link ? hostOf(question.link) : undefined;
  return (
    <section class="question" aria-label={text["question.title"](nameOf(question.provider))}>
      <header>
        <Icon name="unread" />
        <h2>{text["question.title"](nameOf(question.provider))}</h2>
        <span class="quiet small">{moment(new Date(question.at))}</span>
      </header>
      {question.requested_by && <p>{text["question.for"](question.requested_by)}</p>}
      <div class="answer">
        {question.code && (
          <span class="code">
            <span class="quiet small">{text["question.code"]}</span>
            <code>{question.code}</code>
            <CopyButton value={question.code} label={text["question.code"]} />
          </span>
        )}
        {host && question.link && (
          <a class="button primary" href={question.link} target="_blank" rel="noopener noreferrer">
            {text["question.link"](host)}
          </a>
        )}
      </div>
      <p class="quiet small">{text["question.check"]}</p>
    </section>
  );
}

const NAMES: Record<string, string> = {
  gmail: "Gmail",
  proton: "Proton",
  cloudflare: "Cloudflare",
};

/** Returns a provider's name as it calls itself. */
export function nameOf(provider: string): string {
  return NAMES[provider] ?? provider.charAt(0).toUpperCase() + provider.slice(1);
}
