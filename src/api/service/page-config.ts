import { z } from 'zod';
import type { PageLinks } from '../../config.js';
import { named } from '../openapi/registry.js';
import type { Operation, Route } from '../route.js';
import { isOnThisMachine } from './is-on-this-machine.js';

/** What the page is told of the set-up it runs in. */
export interface PageOptions {
  /** A token the page may use by itself. MUST NOT have a scope: whoever opens the page on this machine gets it. */
  demoToken?: string;
  /** The prompts come from the bundled demo model. */
  demoModel: boolean;
  /** Where a run can be seen: this address and its task id. */
  temporalRunsUrl?: string;
  links?: PageLinks;
}

const PageConfig = named(
  'PageConfig',
  z.object({
    demo_token: z.string().optional().meta({ description: 'Only in the embedded set-up, to pages on its machine.' }),
    demo_model: z.boolean(),
    temporal_runs_url: z
      .string()
      .optional()
      .meta({ description: 'With a task id behind it: that run in the Temporal Web UI.' }),
    buy_tokens_url: z.string().optional().meta({ description: 'Where the action `buy_tokens` leads.' }),
    renew_subscription_url: z.string().optional().meta({ description: 'Where `renew_subscription` leads.' }),
    support_url: z.string().optional().meta({ description: 'Where `contact_support` leads.' }),
  }),
);

/** Where the Temporal Web UI shows the runs of a namespace. */
export const runsUrl = (uiUrl: string, namespace: string): string =>
  `${uiUrl.replace(/\/$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows/`;

/** GET /page-config.json: what the web client needs to know at its start. */
export function pageConfig({ demoToken, demoModel, temporalRunsUrl, links = {} }: PageOptions): Route {
  return {
    method: 'get',
    path: '/page-config.json',
    access: 'public',
    operation,
    handle(ctx) {
      const config: z.infer<typeof PageConfig> = {
        ...(demoToken !== undefined && isOnThisMachine(ctx) ? { demo_token: demoToken } : {}),
        demo_model: demoModel,
        ...(temporalRunsUrl === undefined ? {} : { temporal_runs_url: temporalRunsUrl }),
        ...(links.buyTokens === undefined ? {} : { buy_tokens_url: links.buyTokens }),
        ...(links.renewSubscription === undefined ? {} : { renew_subscription_url: links.renewSubscription }),
        ...(links.support === undefined ? {} : { support_url: links.support }),
      };
      ctx.body = config;
    },
  };
}

const operation: Operation = {
  id: 'pageConfig',
  tag: 'Service',
  summary: 'What the web client needs to know',
  answers: {
    200: {
      description: 'Its settings.',
      schema: PageConfig,
      examples: {
        embedded: { demo_model: true, temporal_runs_url: 'http://127.0.0.1:8233/namespaces/default/workflows/' },
      },
    },
  },
};
