import { ERASE_WORKFLOW_TYPE, type EraseOwnerInput } from '../contract/names.js';
import type { Erasure } from '../ledger/types.js';
import { withDeadline } from '../with-deadline.js';
import { DEADLINE_MS, within, type GenerationsDeps } from './deps.js';
import type { Generations } from './types.js';

/** The run of an erasure: its id has no owner in it, as ids are never encrypted. */
const runOf = ({ id }: Pick<Erasure, 'id'>): string => `erase ${id}`;

/** Erases the data of an owner by a workflow, so that a crash anywhere loses nothing; see `Generations.eraseOwner`. */
export function createEraseOwner(deps: GenerationsDeps, forget: (owner: string) => void): Generations['eraseOwner'] {
  const { client, ledger, log, taskQueue, forgetKeys } = deps;

  return async (owner, by, timeoutMs) => {
    try {
      const { erasure, isNew } = await withDeadline(ledger.requestErasure(owner, by), DEADLINE_MS.list);
      await start(erasure, isNew);
      await waitForEnd(erasure, timeoutMs);
      forget(owner);
      await forgetKeys?.();
      const now = await withDeadline(ledger.getErasure(owner), DEADLINE_MS.list);
      // Somebody else has asked for it at the same time, and taken it back.
      return now?.id === erasure.id ? { outcome: 'erasing', erasure: now } : { outcome: 'unavailable' };
    } catch (error) {
      log.error({ err: error }, 'the data of an owner could not be erased now');
      return { outcome: 'unavailable' };
    }
  };

  /** Starts its run, unless that runs. Where it can't, a new request is taken back: nothing was done. */
  async function start(erasure: Erasure, isNew: boolean): Promise<void> {
    try {
      await within(client, DEADLINE_MS.start, () =>
        client.workflow.start(ERASE_WORKFLOW_TYPE, {
          workflowId: runOf(erasure),
          taskQueue,
          args: [{ erasureId: erasure.id } satisfies EraseOwnerInput],
          workflowIdConflictPolicy: 'USE_EXISTING',
          // One that an operator terminated goes on; what it has done already it does not do again.
          workflowIdReusePolicy: 'ALLOW_DUPLICATE',
          staticSummary: 'Erase the data of an owner',
        }),
      );
    } catch (error) {
      if (isNew) await withDeadline(ledger.withdrawErasure(erasure.id), DEADLINE_MS.list);
      throw error;
    }
  }

  async function waitForEnd(erasure: Erasure, timeoutMs: number): Promise<void> {
    try {
      await within(client, timeoutMs, () => client.workflow.getHandle(runOf(erasure)).result());
    } catch (error) {
      // Most take longer; the receipt says how far it has come.
      log.debug({ err: error, erasure_id: erasure.id }, 'an erasure has not ended yet');
    }
  }
}
