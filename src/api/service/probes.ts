import { z } from 'zod';
import type { Generations } from '../../generations/types.js';
import type { Ledger } from '../../ledger/types.js';
import type { Logger } from '../../log.js';
import { ApiError } from '../api-error.js';
import { named } from '../openapi/registry.js';
import type { Operation, Route } from '../route.js';
import { oneAtATime } from '../../one-at-a-time.js';
import { withDeadline } from '../../with-deadline.js';

const PROBE_DEADLINE_MS = 2_000;
/** A part that answered a moment ago is slow, not away: all APIs would be taken out at once, which helps nobody. */
export const AWAY_AFTER_MS = 5_000;

const Alive = named('Alive', z.object({ status: z.literal('alive') }));
const Ready = named('Ready', z.object({ status: z.literal('ready') }));

/** GET /livez: the process answers; restart it where it does not. */
export function livez(): Route {
  return {
    method: 'get',
    path: '/livez',
    access: 'public',
    quiet: true,
    operation: operationOf('livez', 'Whether the process answers', Alive, 'alive'),
    handle(ctx) {
      ctx.body = { status: 'alive' };
    },
  };
}

interface ReadyDeps {
  generations: Generations;
  ledger: Ledger;
  log: Logger;
  /** Aborted when this process is about to stop: send it nothing more. */
  leaving: AbortSignal;
}

/** GET /readyz: whether generations can be served, and which part is away if not. */
export function readyz({ leaving, ...deps }: ReadyDeps): Route {
  // Anybody may ask, as often as he likes.
  const silentParts = oneAtATime(() => findSilent(deps));
  const answeredAt = new Map<Part, number>();
  /** Of the parts that do not answer now. */
  const withoutSlow = (silent: Part[]): Part[] => {
    const now = performance.now();
    // Temporal tells of the workers.
    const unheard = silent.includes('temporal') ? [...silent, 'worker'] : silent;
    for (const part of PARTS) if (!unheard.includes(part)) answeredAt.set(part, now);
    return silent.filter((part) => now - (answeredAt.get(part) ?? -Infinity) >= AWAY_AFTER_MS);
  };

  return {
    method: 'get',
    path: '/readyz',
    access: 'public',
    quiet: true,
    operation: { ...operationOf('readyz', 'Whether all parts are there', Ready, 'ready'), errors: ['not_ready'] },
    async handle(ctx) {
      if (leaving.aborted)
        throw new ApiError('not_ready', { detail: 'This process is stopping.', members: { away: [] } });
      const away = withoutSlow(await silentParts('all'));
      if (away.length > 0) throw new ApiError('not_ready', { members: { away } });
      ctx.body = { status: 'ready' };
    },
  };
}

const PARTS = ['database', 'temporal', 'worker'] as const;
type Part = (typeof PARTS)[number];

async function findSilent({ generations, ledger, log }: Omit<ReadyDeps, 'leaving'>): Promise<Part[]> {
  const orElse =
    (part: Part) =>
    (err: unknown): Part[] => {
      log.warn({ err, part }, 'does not answer');
      return [part];
    };
  const [database, orchestration] = await Promise.all([
    withDeadline(ledger.now(), PROBE_DEADLINE_MS).then((): Part[] => [], orElse('database')),
    withDeadline<Part[]>(generations.health(), PROBE_DEADLINE_MS).catch(orElse('temporal')),
  ]);
  return [...database, ...orchestration];
}

const operationOf = (id: string, summary: string, schema: z.ZodType, status: string): Operation => ({
  id,
  tag: 'Service',
  summary,
  answers: { 200: { description: 'Yes.', schema, examples: { [status]: { status } } } },
});
