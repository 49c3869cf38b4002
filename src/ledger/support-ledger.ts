import { recordAction } from './admin-actions.js';
import { onlyRow, type Database, type Queryable } from './database.js';
import { examineDatabase } from './examine-database.js';
import { findTasks, getTask } from './find-tasks.js';
import { noteRetry, withdrawRetry } from './retries.js';
import type { HoldRecord, SupportLedger, TaskTexts } from './support-types.js';
import type { By } from './types.js';

/** The part of the ledger that support uses, on a migrated database. */
export const createSupportLedger = (db: Database): SupportLedger => ({
  findTasks: (query) => findTasks(db, query),
  getTask: (taskId) => getTask(db, taskId),
  listHolds: (taskId) => listHolds(db, taskId),
  async ownerOf(taskId) {
    const [row] = await db.query<{ owner: string }>(
      `SELECT owner FROM generations WHERE task_id = $1
       UNION ALL SELECT owner FROM starts WHERE task_id = $1 LIMIT 1`,
      [taskId],
    );
    return row?.owner ?? null;
  },
  revealTexts: (taskId, reason, by) => db.transaction((tx) => revealTexts(tx, taskId, reason, by)),
  getTexts: (taskId) => getTexts(db, taskId),
  noteRetry: (retry) => db.transaction((tx) => noteRetry(tx, retry)),
  withdrawRetry: (taskId) => withdrawRetry(db, taskId),
  examine: () => examineDatabase(db),
  async getTemplateOf(owner) {
    return onlyRow(
      await db.query<{ businessType: string | null; template: string | null }>(
        `WITH account AS (SELECT (SELECT business_type FROM accounts WHERE owner = $1) AS type)
         SELECT account.type AS "businessType", (
           SELECT t.template FROM prompt_templates t WHERE t.key = lower(account.type) ORDER BY t.version DESC LIMIT 1
         ) AS template FROM account`,
        [owner],
      ),
    );
  },
});

interface HoldRow {
  tokens: number;
  created_at: Date;
  expires_at: Date;
  state: HoldRecord['state'];
  charged: number;
}

async function listHolds(db: Queryable, taskId: string): Promise<HoldRecord[]> {
  const rows = await db.query<HoldRow>(
    `SELECT h.tokens, h.created_at, h.expires_at, coalesce(r.charged, 0) AS charged,
       coalesce(r.resolution, CASE WHEN h.expires_at > now() THEN 'open' ELSE 'expired' END) AS state
     FROM holds h LEFT JOIN hold_resolutions r USING (hold_id)
     WHERE h.task_id = $1 ORDER BY h.created_at DESC, h.hold_id`,
    [taskId],
  );
  return rows.map(({ created_at, expires_at, ...row }) => ({ ...row, createdAt: created_at, expiresAt: expires_at }));
}

/** The line is written with the reading: nothing is shown that no line tells of. */
async function revealTexts(tx: Queryable, taskId: string, reason: string, by: By): Promise<TaskTexts | null> {
  const texts = await getTexts(tx, taskId);
  if (!texts) return null;
  const { owner, ...rest } = texts;
  await recordAction(tx, { by, action: 'reveal_texts', target: taskId, details: { reason, owner } });
  return rest;
}

async function getTexts(db: Queryable, taskId: string): Promise<(TaskTexts & { owner: string }) | null> {
  const [row] = await db.query<{ owner: string; manual_prompt: string; prompt: string | null }>(
    'SELECT owner, manual_prompt, prompt FROM generations WHERE task_id = $1',
    [taskId],
  );
  return row ? { owner: row.owner, manualPrompt: row.manual_prompt, prompt: row.prompt } : null;
}
