// What other pages embed: registers the elements; each fetches its view when it is first shown.

import { SatchelElement, type View } from "./elements/element";

class SatchelInbox extends SatchelElement {
  protected override async load(): Promise<View> {
    return (await import("./elements/InboxElement")).view;
  }
}

class SatchelTimeline extends SatchelElement {
  protected override async load(): Promise<View> {
    return (await import("./elements/TimelineElement")).view;
  }
}

class SatchelSetup extends SatchelElement {
  protected override async load(): Promise<View> {
    return (await import("./elements/SetupElement")).view;
  }
}

const elements = {
  "satchel-inbox": SatchelInbox,
  "satchel-timeline": SatchelTimeline,
  "satchel-setup": SatchelSetup,
};
for (const [name, element] of Object.entries(elements))
  if (!customElements.get(name)) customElements.define(name, element);
