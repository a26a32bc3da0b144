// What the account has done and what it needs, as far as the token allows.

import { Problem } from "../api/session";
import { SECTIONS, type Section } from "../app/places";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { Failure, Skeleton } from "../shared/state";
import { Activity } from "./Activity";
import { AuditLog } from "./AuditLog";
import { Company } from "./Company";
import { DeadLetters } from "./DeadLetters";
import { People } from "./People";
import { Quarantine } from "./Quarantine";
import { RematchWindow } from "./RematchWindow";
import { Settings } from "./Settings";
import { may, sectionsFor, useScopes } from "./scopes";
import { useAccountText } from "./texts";
import { useHeld } from "./use-held";

export interface AccountProps {
  section: Section;
  choose: (section: Section) => void;
  openPerson: (person: string) => void;
  openInbox: () => void;
}

export function Account({ section, choose, openPerson, openInbox }: AccountProps) {
  const session = useSession();
  const text = useAccountText();
  const { text: shared } = useLanguage();
  const scopes = useScopes(session);
  const held = useHeld(session);
  if (!scopes) return <Skeleton rows={4} />;
  const sections = sectionsFor(scopes, SECTIONS);
  return (
    <div class="page account">
      <div class="column">
        <h1>{text.title}</h1>
        <nav class="sections" aria-label={text.sections}>
          {sections.map((one) => (
            <button
              key={one}
              type="button"
              aria-current={one === section ? "page" : undefined}
              onClick={() => choose(one)}
            >
              {text[`section.${one}`]}
              {one === "quarantine" && held && (
                <>
                  {" "}
                  <span class="count" title={shared["nav.held"](held)}>
                    {held}
                  </span>
                </>
              )}
            </button>
          ))}
        </nav>
        {!sections.includes(section) ? (
          <Failure error={new Problem(403, "")} retry={() => undefined} />
        ) : section === "activity" ? (
          <Activity />
        ) : section === "quarantine" ? (
          <Quarantine decides={may(scopes, "timeline:write")} openInbox={openInbox} />
        ) : section === "dead-letters" ? (
          <DeadLetters />
        ) : section === "people" ? (
          <People open={openPerson} changes={may(scopes, "directory:write")} />
        ) : section === "company" ? (
          <Company counts={may(scopes, "timeline:read")} />
        ) : section === "audit" ? (
          <AuditLog names={may(scopes, "directory:read")} />
        ) : (
          <>
            <Settings changes={may(scopes, "account:write")} />
            {may(scopes, "account:read") && (
              <RematchWindow changes={may(scopes, "account:write")} />
            )}
          </>
        )}
      </div>
    </div>
  );
}
