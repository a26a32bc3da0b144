// Satchel's own pages: the elements, a menu, and an address for each page.

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import "../satchel";
import "./elements";
import { type Language, LanguageContext, languageOf } from "../i18n";
import "../shared/theme.css";
import "../shared/controls.css";
import "./app.css";
import { type Arrival, arrive } from "./arrival";
import { languagesWanted, setLanguage, setTheme, showTheme, themeOf } from "./preferences";
import { Shell } from "./Shell";
import { SignedOut } from "./SignedOut";

function App({ first, language: begun }: { first: Arrival; language: Language }) {
  const [arrival, setArrival] = useState(first);
  const [language, show] = useState(begun);
  const [theme, choose] = useState(themeOf);
  useEffect(() => {
    document.documentElement.lang = language.code;
  }, [language]);
  return (
    <LanguageContext.Provider value={language}>
      {arrival.kind === "in" ? (
        <Shell
          key={arrival.token}
          token={arrival.token}
          readers={arrival.readers}
          become={(chosen) => {
            setArrival({ ...arrival, token: () => chosen });
            requestAnimationFrame(() => document.getElementById("content")?.focus());
          }}
          theme={theme}
          setTheme={(next) => {
            setTheme(next);
            choose(next);
          }}
          setLanguage={(code) => {
            setLanguage(code);
            void languageOf(languagesWanted()).then(show);
          }}
          signOut={() => setArrival({ kind: "out", why: "left", signIn: arrival.signIn })}
        />
      ) : (
        <SignedOut arrival={arrival} />
      )}
    </LanguageContext.Provider>
  );
}

showTheme(themeOf());
const [first, language] = await Promise.all([arrive(), languageOf(languagesWanted())]);
document.documentElement.lang = language.code;
render(<App first={first} language={language} />, document.body);
