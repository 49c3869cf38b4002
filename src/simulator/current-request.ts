import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, RequestListener } from 'node:http';
import { SCENARIO_HEADER } from './choose-scenario.js';

/** What a scenario needs of the request that is being answered, and `Generations` does not carry. */
export interface CurrentRequest {
  scenarioHeader(): string | undefined;
  /** Its connection, to be cut. */
  connection(): { destroy(): unknown } | undefined;
}

/** The request being answered, for all that `wrap`'s listener calls. */
export function createCurrentRequest(): CurrentRequest & { wrap: (answer: RequestListener) => RequestListener } {
  const requests = new AsyncLocalStorage<IncomingMessage>();
  return {
    wrap: (answer) => (request, response) => {
      requests.run(request, answer, request, response);
    },
    scenarioHeader() {
      const value = requests.getStore()?.headers[SCENARIO_HEADER.toLowerCase()];
      return Array.isArray(value) ? value[0] : value;
    },
    connection: () => requests.getStore()?.socket,
  };
}
