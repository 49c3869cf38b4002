import { useEffect, useState } from 'react';
import { OWN_ACCOUNT_PATH } from '../../../src/contract/names.js';
import { createCaller, numberOf, report } from '../client/http.js';
import type { GenerationClientOptions } from '../client/types.js';

/** What the account can spend, in tokens, as of the first token; null until it is known, and where `wanted` is false. */
export function useAvailableTokens(
  { token, baseUrl }: Pick<GenerationClientOptions, 'token' | 'baseUrl'>,
  wanted: boolean,
): number | null {
  const [available, setAvailable] = useState<number | null>(null);
  const asks = wanted && token !== undefined && token !== '';
  useEffect(() => {
    if (!asks) return undefined;
    const controller = new AbortController();
    const { call } = createCaller(() => ({ token, baseUrl }));
    call({ method: 'GET', path: OWN_ACCOUNT_PATH, signal: controller.signal }).then(
      (answer) => {
        // Where it can't be read nothing is shown: generating itself will tell what is wrong.
        if (answer.kind !== 'ok') return;
        const { tokens } = answer.body as { tokens?: { available?: unknown } };
        setAvailable(numberOf(tokens?.available));
      },
      (error: unknown) => {
        // Aborted: the component is gone. Anything else is a bug.
        if (!controller.signal.aborted) report(error);
      },
    );
    return () => {
      controller.abort();
    };
    // A token that is renewed is no reason to look again.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [asks]);
  return available;
}

/** The newer of what the page around says the account can spend and what the last generation left. Tokens. */
export function useNewest(given: number | null, left: number | null): number | null {
  const [newest, setNewest] = useState({ given, left, value: given });
  // A generation that is reset or started anew has no balance of its own; the last one stays true.
  const leftNow = left ?? newest.left;
  if (given === newest.given && leftNow === newest.left) return newest.value;
  const value = leftNow === newest.left ? given : leftNow;
  setNewest({ given, left: leftNow, value });
  return value;
}
