import { z } from 'zod';
import type { Generations } from '../../generations/types.js';
import type { Erasure, Ledger } from '../../ledger/types.js';
import { OWNER } from '../accounts/parameters.js';
import { ApiError } from '../api-error.js';
import { askLedger } from '../ask-ledger.js';
import { byOf } from '../context.js';
import { named, Timestamp } from '../openapi/registry.js';
import type { Operation, Route } from '../route.js';
import { readParameter } from '../validate.js';

/** The answer waits this long for the end of an erasure; most take longer, as Temporal deletes at its leisure. */
const WAIT_MS = 5_000;
const ASK_AGAIN_S = '2';

const PATH = '/api/v1/admin/owners/{owner}/data/';

/** What was erased, and how far it has come. */
export const ErasureReceipt = named(
  'ErasureReceipt',
  z.object({
    erasure_id: z.string(),
    owner: z.string(),
    status: z.enum(['running', 'finished']).meta({ description: 'It goes on by itself until it is `finished`.' }),
    requested_at: Timestamp,
    finished_at: Timestamp.nullable().meta({ description: 'null while it runs.' }),
    erased: z
      .object({
        keys: z.int().meta({ description: "Keys of the owner's payloads in Temporal." }),
        generations: z.int().meta({ description: 'Stored generations: texts, results, what they are listed from.' }),
        starts: z.int().meta({ description: 'Starts that were remembered, for the limits.' }),
        workflow_runs: z.int().meta({ description: 'Histories in Temporal; more may be found while it runs.' }),
      })
      .meta({ description: 'How many there were, as far as it has come.' }),
    kept: z.object({ ledger_entries: z.int().meta({ description: 'The money: without a text of the owner.' }) }),
  }),
);

interface ErasureDeps {
  generations: Generations;
  ledger: Ledger;
}

/** DELETE: erases the data of an owner. GET: the receipt. */
export const ownerData = ({ generations, ledger }: ErasureDeps): Route[] => [
  {
    method: 'delete',
    path: PATH,
    access: 'admin',
    operation: erase,
    async handle(ctx) {
      const owner = readParameter(ctx, OWNER);
      const result = await generations.eraseOwner(owner, byOf(ctx), WAIT_MS);
      if (result.outcome === 'unavailable') throw new ApiError('unavailable');
      const receipt = present(result.erasure);
      if (receipt.status === 'running') {
        ctx.status = 202;
        ctx.set('Retry-After', ASK_AGAIN_S);
      }
      ctx.body = receipt;
    },
  },
  {
    method: 'get',
    path: PATH,
    access: 'admin',
    operation: read,
    async handle(ctx) {
      const erasure = await askLedger(ledger.getErasure(readParameter(ctx, OWNER)));
      if (!erasure) throw new ApiError('not_found', { detail: 'Nothing of this owner was ever erased.' });
      ctx.body = present(erasure);
    },
  },
];

const present = ({ id, owner, requestedAt, finishedAt, erased, kept }: Erasure): z.infer<typeof ErasureReceipt> => ({
  erasure_id: id,
  owner,
  status: finishedAt ? 'finished' : 'running',
  requested_at: requestedAt.toISOString(),
  finished_at: finishedAt?.toISOString() ?? null,
  erased: {
    keys: erased.keys,
    generations: erased.generations,
    starts: erased.starts,
    workflow_runs: erased.workflowRuns,
  },
  kept: { ledger_entries: kept.ledgerEntries },
});

const finished = present({
  id: '5b0f6a0e-2c1d-4f7e-8a55-0d6c1b9e7f21',
  owner: 'acct_42',
  requestedAt: new Date('2026-11-25T08:00:00Z'),
  finishedAt: new Date('2026-11-25T08:00:19Z'),
  erased: { keys: 1, generations: 12, starts: 3, workflowRuns: 3 },
  kept: { ledgerEntries: 10 },
});
const running = { ...finished, status: 'running', finished_at: null };

const erase: Operation = {
  id: 'eraseOwnerData',
  tag: 'Accounts',
  summary: 'Erase the data of an owner',
  parameters: [OWNER],
  answers: {
    200: { description: 'Nothing of it is left.', schema: ErasureReceipt, examples: { finished } },
    202: {
      description: 'It goes on by itself. Ask again, or read the receipt, until it is `finished`.',
      schema: ErasureReceipt,
      headers: ['Retry-After'],
      examples: { running },
    },
  },
};

const read: Operation = {
  id: 'readErasure',
  tag: 'Accounts',
  summary: 'Read the receipt of the last erasure of an owner',
  parameters: [OWNER],
  answers: {
    200: { description: 'The newest receipt.', schema: ErasureReceipt, examples: { finished, running } },
  },
  errors: ['not_found'],
};
