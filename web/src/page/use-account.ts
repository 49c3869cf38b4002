import { useEffect, useState } from 'react';
import { ApiProblem, type Account, type PageApi } from './api.js';

/** The caller's account, read anew whenever `version` changes. Where it can't be read the last one stays. */
export function useAccount(api: PageApi, version: string, onRefused: () => void): Account | null {
  const [account, setAccount] = useState<Account | null>(null);
  useEffect(() => {
    const controller = new AbortController();
    api.account(controller.signal).then(setAccount, (error: unknown) => {
      if (error instanceof ApiProblem && error.unauthorized) onRefused();
    });
    return () => {
      controller.abort();
    };
  }, [api, version, onRefused]);
  return account;
}
