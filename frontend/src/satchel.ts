// What other pages embed: registers the elements; each fetches its view when it is first shown.

import { SatchelElement, type View } from "./elements/element";

class SatchelInbox extends SatchelElement {
  protected override async load(): Promise<View> {
    return (await import("./elements/InboxElement")).view;
  }
}

if (!customElements.get("satchel-inbox")) customElements.define("satchel-inbox", SatchelInbox);
