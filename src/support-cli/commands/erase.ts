import { z } from 'zod';
import type { ErasureReceipt } from '../../api/erasure/owner-data.js';
import { CliError } from '../cli-error.js';
import { command, Owner } from '../command.js';
import { EXIT } from '../exit-codes.js';

type Receipt = z.infer<typeof ErasureReceipt>;

/** `erase`: erases the data of an owner for good. Needs the scope admin. */
export const erase = command({
  name: 'erase',
  positionals: ['owner'],
  summary: 'Erase the data of an owner, for good (scope admin)',
  options: {
    yes: { type: 'boolean', help: 'do it' },
    receipt: { type: 'boolean', help: 'show the receipt of the last erasure instead' },
  },
  schema: z.strictObject({ owner: Owner, yes: z.boolean().default(false), receipt: z.boolean().default(false) }),
  async run({ owner, yes, receipt }, { api, answer }) {
    const path = `/api/v1/admin/owners/${encodeURIComponent(owner)}/data/`;
    if (!receipt && !yes) {
      const what = 'It erases all texts, prompts and histories of this owner and nobody can bring them back';
      throw new CliError(`${what}. Say --yes to do it.`, EXIT.usage);
    }
    const body = (await api().call(receipt ? 'GET' : 'DELETE', path)) as Receipt;
    answer(body, () => receiptText(body));
    return EXIT.done;
  },
});

const receiptText = ({ status, erased, kept, finished_at }: Receipt): string =>
  [
    finished_at === null
      ? 'It goes on by itself; ask for the --receipt until it has finished.'
      : `Finished at ${finished_at}.`,
    `${erased.generations} generations, ${erased.starts} starts, ${erased.workflow_runs} runs and ${erased.keys} keys erased${status === 'running' ? ' so far' : ''}; ` +
      `${kept.ledger_entries} entries of the ledger kept.`,
  ].join('\n');
