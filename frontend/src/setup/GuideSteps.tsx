// The steps of one half, with the user's own values in them.

import { useId } from "preact/hooks";
import { Icon } from "../shared/Icon";
import { CopyButton } from "./CopyButton";
import { filled } from "./progress";
import type { GuideHalf } from "./shapes";
import { useSetupText } from "./texts";

type Values = Readonly<Record<string, string>>;

export interface GuideStepsProps {
  half: GuideHalf;
  values: Values;
  /** Of the guide's texts. */
  language: string;
}

export function GuideSteps({ half, values, language }: GuideStepsProps) {
  const text = useSetupText();
  const id = useId();
  const lists = [
    ["guide.can", half.can],
    ["guide.cannot", half.cannot],
    ["guide.unsure", half.unknown],
  ] as const;
  const more = lists.some(([, list]) => (list?.length ?? 0) > 0);
  const words = {
    capture_address: text["guide.value.capture_address"],
    account_capture_address: text["guide.value.account_capture_address"],
    address: text["guide.value.address"],
  };
  return (
    <>
      <ol class="steps" lang={language}>
        {half.steps.map((step) => (
          <li key={step}>
            <Filled text={step} values={values} words={words} />
          </li>
        ))}
      </ol>
      {half.snippets?.map((snippet) => {
        const parts = filled(snippet, values, words);
        const whole = parts
          .map((part) => (part.kind === "missing" ? `<${part.text}>` : part.text))
          .join("");
        return (
          <div key={snippet} class="snippet">
            <pre>{whole}</pre>
            {parts.every((part) => part.kind !== "missing") && <CopyButton value={whole} />}
          </div>
        );
      })}
      {(half.traps?.length ?? 0) > 0 && (
        <div class="note warn traps" lang={language}>
          <Icon name="alert" />
          <ul aria-label={text["guide.traps"]}>
            {half.traps?.map((trap) => (
              <li key={trap}>
                <Filled text={trap} values={values} words={words} />
              </li>
            ))}
          </ul>
        </div>
      )}
      {more && (
        <details class="more">
          <summary>{text["guide.more"]}</summary>
          {lists.map(([title, list]) =>
            list && list.length > 0 ? (
              <div key={title}>
                <h3 id={`${id}-${title}`}>{text[title]}</h3>
                <ul aria-labelledby={`${id}-${title}`} lang={language}>
                  {list.map((line) => (
                    <li key={line}>
                      <Filled text={line} values={values} words={words} />
                    </li>
                  ))}
                </ul>
              </div>
            ) : null,
          )}
        </details>
      )}
    </>
  );
}

function Filled({ text, values, words }: { text: string; values: Values; words: Values }) {
  return (
    <>
      {filled(text, values, words).map((part, index) => {
        const Part = { text: "span", value: "code", missing: "em" } as const;
        const Tag = Part[part.kind];
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text keep their order
        return <Tag key={index}>{part.text}</Tag>;
      })}
    </>
  );
}
