// A question that the page waits for: closed by Escape or its button; the focus goes back to where it was.

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { useLanguage } from "../i18n";
import { Icon } from "../shared/Icon";

export interface DialogProps {
  title: string;
  closed: () => void;
  children: (close: () => void) => ComponentChildren;
}

/** As a `ref`: what the reader pressed is gone, and the focus goes to what takes its place. */
export function focused(element: HTMLElement | null): void {
  element?.focus();
}

export function Dialog({ title, closed, children }: DialogProps) {
  const { text } = useLanguage();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const close = () => dialog.current?.close();
  return (
    <dialog ref={dialog} class="question-dialog" onClose={closed} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" class="icon-button" aria-label={text["action.close"]} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {children(close)}
    </dialog>
  );
}
