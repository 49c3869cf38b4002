import { z } from 'zod';
import type { Finding } from '../../helpdesk/doctor.js';
import type { Support } from '../../helpdesk/types.js';
import { VERSION } from '../../version.js';
import { named, Timestamp } from '../openapi/registry.js';
import type { Operation, Route } from '../route.js';

/** How every part of the service is. */
export const Diagnosis = named(
  'Diagnosis',
  z.object({
    well: z.boolean(),
    version: z.string().meta({ description: 'Of the API.' }),
    time: Timestamp.meta({ description: "By the API's clock." }),
    findings: z.array(
      z.object({
        part: z.string(),
        ok: z.boolean(),
        detail: z.string(),
      }),
    ),
  }),
);

/** GET: examines the database, Temporal and the workers, from where this process stands. */
export function doctor({ support }: { support: Support }): Route {
  return {
    method: 'get',
    path: '/api/v1/support/doctor/',
    access: 'support',
    operation,
    async handle(ctx) {
      ctx.body = present(await support.examine());
    },
  };
}

const present = (findings: Finding[]): z.infer<typeof Diagnosis> => ({
  well: findings.every(({ ok }) => ok),
  version: VERSION,
  time: new Date().toISOString(),
  findings,
});

const operation: Operation = {
  id: 'doctor',
  tag: 'Support',
  summary: 'Examine every part of the service',
  answers: {
    200: {
      description: 'What was found, also where parts are away. What the API cannot reach has one finding that says so.',
      schema: Diagnosis,
      examples: {
        well: {
          well: true,
          version: '0.1.0',
          time: '2026-11-24T09:00:00.000Z',
          findings: [
            { part: 'database', ok: true, detail: 'PostgreSQL 17.2' },
            { part: 'backlog', ok: true, detail: 'nothing waits' },
            { part: 'model backlog', ok: true, detail: 'nothing waits; at most 20 a second, by the workers' },
          ],
        },
      },
    },
  },
};
