// The steps of one half, with the user's own values in them.

import { useId } from "preact/hooks";
import { Icon } from "../shared/Icon";
import { CopyButton } from "./CopyButton";
import { filled } from "./progress";
import type { GuideHalf } from "./shapes";
import { useSetupText } from "./texts";

type Values = Readonly<Record<string, string>>;

export function GuideSteps({ half, values }: { half: GuideHalf; values: Values }) {
  const text = useSetupText();
  const id = useId();
  const lists = [
    ["guide.can", half.can],
    ["guide.cannot", half.cannot],
    ["guide.unsure", half.unknown],
  ] as const;
  const more = lists.some(([, list]) => (list?.length ?? 0) > 0);
  return (
    <>
      <ol class="steps" lang="en">
        {half.steps.map((step) => (
          <li key={step}>
            <Filled text={step} values={values} />
          </li>
        ))}
      </ol>
      {half.snippets?.map((snippet) => {
        const whole = filled(snippet, values)
          .map((part) => part.text)
          .join("");
        return (
          <div key={snippet} class="snippet">
            <pre>{whole}</pre>
            <CopyButton value={whole} />
          </div>
        );
      })}
      {(half.traps?.length ?? 0) > 0 && (
        <div class="note warn traps" lang="en">
          <Icon name="alert" />
          <ul aria-label={text["guide.traps"]}>
            {half.traps?.map((trap) => (
              <li key={trap}>
                <Filled text={trap} values={values} />
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
                <ul aria-labelledby={`${id}-${title}`} lang="en">
                  {list.map((line) => (
                    <li key={line}>
                      <Filled text={line} values={values} />
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

function Filled({ text, values }: { text: string; values: Values }) {
  return (
    <>
      {filled(text, values).map((part, index) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text keep their order
        part.value ? <code key={index}>{part.text}</code> : <span key={index}>{part.text}</span>,
      )}
    </>
  );
}
