import { Inbox } from "../inbox/Inbox";
import css from "../inbox/inbox.css?inline";
import type { SatchelElement, View } from "./element";

/** `conversation`: which one is open; `to-setup`: the page around has a set-up. Tells `satchel-open` and `satchel-unread`. */
function InboxView({ element }: { element: SatchelElement }) {
  return (
    <Inbox
      chosen={element.getAttribute("conversation") ?? undefined}
      choose={(id) => {
        if (!element.tell("satchel-open", { conversation: id ?? null })) return;
        if (id) element.setAttribute("conversation", id);
        else element.removeAttribute("conversation");
      }}
      openPerson={(person) => element.tell("satchel-open", { person })}
      openSetup={
        element.hasAttribute("to-setup")
          ? () => element.tell("satchel-open", { page: "setup" })
          : undefined
      }
      onUnread={(unread) => element.tell("satchel-unread", { unread })}
    />
  );
}

export const view: View = { component: InboxView, styles: [css] };
