// Satchel's own pages: the elements, a menu, and an address for each page.

import { render } from "preact";
import "../satchel";
import { Problem } from "../api/session";
import { LanguageContext, languageOf } from "../i18n";
import { Failure } from "../shared/state";
import "../shared/theme.css";
import "../shared/controls.css";
import "./app.css";
import { Shell } from "./Shell";

/** Takes the token out of the address, so that no link, history or screenshot has it. */
function tokenOfAddress(): string | undefined {
  const found = new URLSearchParams(location.hash.slice(1)).get("token") ?? undefined;
  if (found) history.replaceState(null, "", location.pathname + location.search);
  return found;
}

const token = tokenOfAddress();
const language = await languageOf(navigator.languages);
document.documentElement.lang = language.code;
render(
  <LanguageContext.Provider value={language}>
    {token ? (
      <Shell token={token} />
    ) : (
      <main class="signed-out">
        <h1 class="sr">Satchel</h1>
        <Failure error={new Problem(401, "")} retry={() => location.reload()} />
      </main>
    )}
  </LanguageContext.Provider>,
  document.body,
);
