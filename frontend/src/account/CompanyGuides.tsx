// How an administrator sends the company's mail to its address: the steps of one product.

import { useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { guidesOf } from "../setup/calls";
import { GuideSteps } from "../setup/GuideSteps";
import { useSession } from "../shared/context";
import { Failure, Skeleton } from "../shared/state";
import { useFetched } from "../shared/use-fetched";
import { useAccountText } from "./texts";

const FIRST = "workspace-routing";

export function CompanyGuides({ address }: { address: string }) {
  const session = useSession();
  const text = useAccountText();
  const { code } = useLanguage();
  const [chosen, setChosen] = useState(FIRST);
  const fetched = useFetched(
    (signal) => guidesOf(session, { guide: chosen, language: code }, signal),
    [session, chosen, code, address],
  );
  const guides = fetched.value;
  const both = guides?.guide.both;
  return (
    <section class="card" aria-labelledby="company-guide">
      <h2 id="company-guide">{text["company.guide"]}</h2>
      {!guides ? (
        fetched.error ? (
          <Failure error={fetched.error} retry={fetched.again} />
        ) : (
          <Skeleton rows={2} />
        )
      ) : (
        <>
          <label class="choice">
            {text["company.guide.for"]}
            <select
              class="field"
              value={chosen}
              onChange={(event) => setChosen(event.currentTarget.value)}
            >
              {guides.choices
                .filter((one) => one.kind === "company")
                .map((one) => (
                  <option key={one.id} value={one.id}>
                    {one.name}
                  </option>
                ))}
            </select>
          </label>
          {(both ?? guides.guide.receives) && (
            <GuideSteps
              half={(both ?? guides.guide.receives) as NonNullable<typeof both>}
              values={guides.values}
              language={guides.language}
            />
          )}
        </>
      )}
    </section>
  );
}
