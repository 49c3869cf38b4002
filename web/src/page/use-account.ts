import { useEffect, useState } from 'react';
import { report } from '../client/http.js';
import { rest } from '../client/rest.js';
import { AGAIN_MS, ApiProblem, type Account, type PageApi } from './api.js';

/** The caller's account, read anew whenever `version` changes. Where it can't be read the last one stays, until it can. */
export function useAccount(api: PageApi, version: string, onRefused: () => void): Account | null {
  const [account, setAccount] = useState<Account | null>(null);
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;

    async function read(): Promise<void> {
      for (;;) {
        try {
          setAccount(await api.account(signal));
          return;
        } catch (error) {
          if (signal.aborted || !(error instanceof ApiProblem)) throw error;
          if (error.unauthorized) {
            onRefused();
            return;
          }
        }
        await rest(AGAIN_MS, signal);
      }
    }

    read().catch((error: unknown) => {
      // Aborted: another look is on its way, or nobody looks any more.
      if (!signal.aborted) report(error);
    });
    return () => {
      controller.abort();
    };
  }, [api, version, onRefused]);
  return account;
}
