import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Session } from "../api/session";

/** Adds a style sheet to the element around, for a view that is fetched later. */
export const StylesContext = createContext<(css: string) => void>(() => {});

export const SessionContext = createContext<Session | undefined>(undefined);

/** Returns the session that the element around was given. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("there is no session around");
  return session;
}
