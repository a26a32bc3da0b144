import { useEffect, useRef, useState } from "preact/hooks";
import { useLanguage } from "../i18n";
import { useSession } from "../shared/context";
import { Icon } from "../shared/Icon";
import { loadImages, TrustedSenders } from "./remote-images";

type State = "asking" | "loading" | "done";

export function RemoteImages({
  page,
  sender,
  path,
}: {
  page: Document;
  sender: string | undefined;
  path: string;
}) {
  const session = useSession();
  const { text } = useLanguage();
  const [state, setState] = useState<State>("asking");
  const [failed, setFailed] = useState(0);
  const [trusted, setTrusted] = useState<TrustedSenders>();
  const abort = useRef(new AbortController());
  useEffect(() => {
    const { current } = abort;
    return () => current.abort();
  }, []);
  const load = async () => {
    setState("loading");
    setFailed(await loadImages(session, page, path, abort.current.signal));
    setState("done");
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each document
  useEffect(() => {
    void session.claims().then((claims) => {
      const senders = new TrustedSenders(claims);
      setTrusted(senders);
      if (sender && senders.has(sender)) void load();
    });
  }, [session, page]);
  if (state === "done" && failed === 0) return null;
  return (
    <div class="note images" role="status">
      <Icon name="picture" />
      {state === "asking" && (
        <>
          <span>{text["images.blocked"]}</span>
          <button type="button" class="link" onClick={() => void load()}>
            {text["images.once"]}
          </button>
          {sender && (
            <button
              type="button"
              class="link"
              onClick={() => {
                trusted?.add(sender);
                void load();
              }}
            >
              {text["images.always"](sender)}
            </button>
          )}
        </>
      )}
      {state === "loading" && <span>{text["images.loading"]}</span>}
      {state === "done" && (
        <>
          <span>{text["images.failed"](failed)}</span>
          <button type="button" class="link" onClick={() => void load()}>
            {text["state.retry"]}
          </button>
        </>
      )}
    </div>
  );
}
