import { useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { blocksOf, partsOf, spansOf } from "./plain-text";

/** A mail in plain text: what it adds first, signature and quotes folded. */
export function PlainBody({
  mail,
}: {
  mail: { text: string; new_text: string; signature: string };
}) {
  const { text } = useLanguage();
  const [open, setOpen] = useState(false);
  const { shown, rest, whole } = partsOf(mail);
  const kind = mail.signature ? ("rest" as const) : ("quoted" as const);
  const label = text[open ? (`mail.hide-${kind}` as const) : (`mail.show-${kind}` as const)];
  return (
    <div class="text">
      <PlainText text={open && whole ? rest : shown} />
      {rest && (
        <button
          type="button"
          class="fold"
          aria-expanded={open}
          title={label}
          onClick={() => setOpen(!open)}
        >
          <span aria-hidden="true">•••</span>
          <span class="sr">{label}</span>
        </button>
      )}
      {open && !whole && <PlainText text={rest} />}
      {!shown && !rest && <p class="quiet">{text["mail.empty"]}</p>}
    </div>
  );
}

function PlainText({ text }: { text: string }) {
  return (
    <>
      {blocksOf(text).map((block, place) => {
        const spans = spansOf(block.text).map((span, at) =>
          span.href ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a text do not change
            <a key={at} href={span.href} target="_blank" rel="noopener noreferrer nofollow">
              {span.text}
            </a>
          ) : (
            span.text
          ),
        );
        return block.depth ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a text do not change
          <blockquote key={place}>{spans}</blockquote>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a text do not change
          <div key={place}>{spans}</div>
        );
      })}
    </>
  );
}
