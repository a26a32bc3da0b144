// Who is signed in, and what they prefer: theme, language, signing out.

import { useEffect, useState } from "preact/hooks";
import { claimsOf } from "../api/session";
import { useLanguage } from "../i18n";
import { Popover } from "../shared/Popover";
import { LANGUAGES, THEMES, type Theme } from "./preferences";

export interface MenuProps {
  token: () => string | Promise<string>;
  theme: Theme;
  setTheme: (theme: Theme) => void;
  setLanguage: (code: string) => void;
  signOut: () => void;
}

export function Menu({ token, theme, setTheme, setLanguage, signOut }: MenuProps) {
  const { text, code } = useLanguage();
  const [who, setWho] = useState("");
  useEffect(() => {
    Promise.resolve(token()).then(
      (known) => {
        const { sub, account } = claimsOf(known);
        setWho(sub ? `${sub} · ${account}` : "");
      },
      () => setWho(""),
    );
  }, [token]);
  return (
    <Popover label={text["menu.open"]} icon="dots" class="menu">
      {(close) => (
        <div class="menu-body">
          {who && <p class="quiet">{text["menu.who"](who)}</p>}
          <fieldset>
            <legend>{text["menu.theme"]}</legend>
            <div class="segments">
              {THEMES.map((one) => (
                <button
                  key={one}
                  type="button"
                  aria-pressed={one === theme}
                  onClick={() => setTheme(one)}
                >
                  {text[`menu.theme.${one}`]}
                </button>
              ))}
            </div>
          </fieldset>
          <label>
            {text["menu.language"]}
            <select
              class="field"
              value={code.split("-")[0]}
              onChange={(event) => setLanguage(event.currentTarget.value)}
            >
              {Object.entries(LANGUAGES).map(([tag, name]) => (
                <option key={tag} value={tag} lang={tag}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <button
            type="button"
            class="button"
            onClick={() => {
              close();
              signOut();
            }}
          >
            {text["menu.sign-out"]}
          </button>
        </div>
      )}
    </Popover>
  );
}
