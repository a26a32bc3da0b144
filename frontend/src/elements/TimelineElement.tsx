import conversationCss from "../conversation/conversation.css?inline";
import { Empty } from "../shared/state";
import { Timeline } from "../timeline/Timeline";
import css from "../timeline/timeline.css?inline";
import type { SatchelElement, View } from "./element";

/** `person`: whose mails; `back`: with a way back. Tells `satchel-open` and `satchel-back`. */
function TimelineView({ element }: { element: SatchelElement }) {
  const person = element.getAttribute("person");
  if (!person) return <Empty icon="person" title="person=…" />;
  return (
    <Timeline
      key={person}
      person={person}
      openConversation={(conversation) => element.tell("satchel-open", { conversation })}
      back={element.hasAttribute("back") ? () => element.tell("satchel-back", {}) : undefined}
    />
  );
}

export const view: View = { component: TimelineView, styles: [css, conversationCss] };
