import { useEffect, useState } from 'react';
import { createCall, numberOf } from '../client/http.js';
import type { GenerationClientOptions } from '../client/types.js';

/** The account's address; GET /api/v1/account/ answers `{tokens: {available}}`. */
const ACCOUNT_PATH = '/api/v1/account/';

/** What the account can spend, in tokens, as of the first render; null until it is known, and where `wanted` is false. */
export function useAvailableTokens(
  { token, baseUrl }: Pick<GenerationClientOptions, 'token' | 'baseUrl'>,
  wanted: boolean,
): number | null {
  const [available, setAvailable] = useState<number | null>(null);
  useEffect(() => {
    if (!wanted) return undefined;
    const controller = new AbortController();
    const call = createCall(() => ({ token, baseUrl }));
    call({ method: 'GET', path: ACCOUNT_PATH, signal: controller.signal }).then(
      (answer) => {
        // Where it can't be read nothing is shown: generating itself will tell what is wrong.
        if (answer.kind !== 'ok') return;
        const { tokens } = answer.body as { tokens?: { available?: unknown } };
        setAvailable(numberOf(tokens?.available));
      },
      () => undefined, // Aborted: the component is gone.
    );
    return () => {
      controller.abort();
    };
    // A token that is renewed is no reason to look again.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [wanted]);
  return available;
}
