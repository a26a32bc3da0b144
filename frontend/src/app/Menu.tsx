// Who is signed in, and what they prefer: theme, language, changing to another, signing out.

import { useEffect, useState } from "preact/hooks";
import { claimsOf, type TokenSource } from "../api/session";
import { useLanguage } from "../i18n";
import { Popover } from "../shared/Popover";
import { LANGUAGES, THEMES, type Theme } from "./preferences";

export interface MenuProps {
  token: TokenSource;
  readers: readonly string[];
  become: (token: string) => void;
  theme: Theme;
  setTheme: (theme: Theme) => void;
  setLanguage: (code: string) => void;
  signOut: () => void;
}

export function Menu(props: MenuProps) {
  const { token, readers, become, theme, setTheme, setLanguage, signOut } = props;
  const { text, code } = useLanguage();
  const [own, setOwn] = useState("");
  useEffect(() => {
    Promise.resolve(token()).then(setOwn, () => setOwn(""));
  }, [token]);
  const { sub, account } = claimsOf(own);
  return (
    <Popover label={text["menu.open"]} icon="dots" class="menu">
      {(close) => (
        <div class="menu-body">
          {sub && <p class="quiet">{text["menu.who"](`${nameOf(own)} · ${account}`)}</p>}
          {readers
            .filter((one) => one !== own)
            .map((one) => (
              <button key={one} type="button" class="button" onClick={() => become(one)}>
                {text["menu.become"](nameOf(one))}
              </button>
            ))}
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

function nameOf(token: string): string {
  const { name, sub } = claimsOf(token);
  return name || sub;
}
