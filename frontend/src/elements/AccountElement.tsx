import { Account } from "../account/Account";
import css from "../account/account.css?inline";
import { SECTIONS } from "../app/places";
import setup from "../setup/setup.css?inline";
import page from "../shared/page.css?inline";
import type { SatchelElement, View } from "./element";

/** `section`: which part is shown. Tells `satchel-open`. */
function AccountView({ element }: { element: SatchelElement }) {
  const asked = element.getAttribute("section");
  return (
    <Account
      section={SECTIONS.find((one) => one === asked) ?? "activity"}
      choose={(section) => element.tell("satchel-open", { section })}
      openPerson={(person) => element.tell("satchel-open", { person })}
      openInbox={() => element.tell("satchel-open", { conversation: null })}
    />
  );
}

export const view: View = { component: AccountView, styles: [page, setup, css] };
