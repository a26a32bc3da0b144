// The merges and erasures of the account, the latest first.

import { dataOf, type Session } from "../api/session";
import type { Erasure, Merge } from "./life";
import { type Pages, usePages } from "./use-pages";

const LIMIT = 10;

export interface Life {
  merges: Pages<Merge>;
  erasures: Pages<Erasure>;
}

export function useLife(session: Session): Life {
  const page = (cursor: string | undefined) => ({
    params: { query: { limit: LIMIT, ...(cursor && { cursor }) } },
  });
  return {
    merges: usePages<Merge>(
      async (cursor) => dataOf(await session.api.GET("/v1/merges", page(cursor))),
      session,
    ),
    erasures: usePages<Erasure>(
      async (cursor) => dataOf(await session.api.GET("/v1/erasures", page(cursor))),
      session,
    ),
  };
}
