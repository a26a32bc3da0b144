import { useState } from "preact/hooks";
import { Inbox } from "../inbox/Inbox";
import css from "../inbox/inbox.css?inline";
import type { SatchelElement, View } from "./element";

function InboxView({ element }: { element: SatchelElement }) {
  const [chosen, setChosen] = useState(element.getAttribute("conversation") ?? undefined);
  const choose = (id: string) => {
    setChosen(id);
    element.tell("satchel-open", { conversation: id });
  };
  return <Inbox chosen={chosen} choose={choose} />;
}

export const view: View = { component: InboxView, styles: [css] };
