import { useLayoutEffect, useState, useSyncExternalStore } from 'react';
import { createGenerationClient, type GenerationClient } from './client/generation-client.js';
import { IDLE, type Generation, type GenerationClientOptions } from './client/types.js';

/** A generation and what can be done with it. */
export type UseGeneratePrompt = Generation & Pick<GenerationClient, 'start' | 'cancel' | 'reset'>;

/**
 * One generation of this component: started by `start(text)`, followed to its end, stopped when the component goes
 * away, and found again after a reload. `token` and `baseUrl` may change at any time; `storage`, `storageKey`,
 * `live` and `reuse` are those of the first render.
 */
export function useGeneratePrompt(options: GenerationClientOptions = {}): UseGeneratePrompt {
  const [client] = useState(() => createGenerationClient(options));
  const { token, baseUrl } = options;
  // Before the subscription below, which may ask at once.
  useLayoutEffect(() => {
    client.configure({ token, baseUrl });
  }, [client, token, baseUrl]);
  const generation = useSyncExternalStore(client.subscribe, client.getState, () => IDLE);
  const { start, cancel, reset } = client;
  return { ...generation, start, cancel, reset };
}
