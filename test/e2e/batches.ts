import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { GENERATE_BATCH_PATH } from '../../src/contract/names.js';
import type { ApiClient, Status } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { PROMPT, type ScriptedModel } from './scripted-model.js';

export interface StartedBatch {
  batch_id: string;
  status_url: string;
  items: { index: number; task_id: string; status_url: string }[];
}

export interface BatchState extends Pick<StartedBatch, 'batch_id'> {
  status: string;
  progress: number;
  message: string;
  counts: Record<string, number>;
  items: (StartedBatch['items'][number] & { status: string; progress: number; error_code?: string })[];
}

export const startBatch = (
  api: ApiClient,
  as: string,
  manual_prompts: string[],
  headers: Record<string, string> = {},
): Promise<StartedBatch> => api.json('POST', GENERATE_BATCH_PATH, { as, headers, body: { manual_prompts } });

const read = (api: ApiClient, as: string, { status_url }: Pick<StartedBatch, 'status_url'>) =>
  api.json<BatchState>('GET', status_url, { as });

/** Polls until the batch has ended; fails where it goes back, as a whole or in an item. */
export function untilBatchEnded(api: ApiClient, as: string, batch: StartedBatch): Promise<BatchState> {
  let before: BatchState | undefined;
  return eventually(
    async () => {
      const now = await read(api, as, batch);
      assert.ok(now.progress >= (before?.progress ?? 0), `${before?.progress ?? 0} went back to ${now.progress}`);
      for (const item of before?.items ?? [])
        assert.ok(now.items[item.index]!.progress >= item.progress, `item ${item.index} went back`);
      before = now;
      assert.equal(now.progress, 100);
      return now;
    },
    { timeoutMs: 110_000, everyMs: 20 },
  );
}

/** Tests of what a client sees of batches, wherever the service runs. */
export function testBatches(api: ApiClient, model: () => ScriptedModel): void {
  const owner = (tokens = 100_000) => api.newOwner({ tokens });
  const textsOf = (...kinds: string[]) => kinds.map((kind) => `${kind} ${randomUUID()}`);

  it('leads a batch to its end, of whose items some fail, each charged for itself', async () => {
    const name = await owner();
    const texts = textsOf('fine', 'slow', 'refused', 'flaky', 'fine', 'slow');
    const batch = await startBatch(api, name, texts);
    await eventually(async () => {
      const { counts, status } = await read(api, name, batch);
      assert.deepEqual(
        [counts, status],
        [{ total: 6, queued: 0, processing: 2, completed: 4, failed: 0 }, 'processing'],
      );
    });
    await api.json('PUT', `/api/v1/admin/accounts/${name}/`, {
      as: 'admin',
      scope: 'admin',
      body: { subscription: { status: 'deactivated' } },
    });
    const late = await startBatch(api, name, textsOf('fine', 'fine'));
    const refused = await untilBatchEnded(api, name, late);
    assert.deepEqual(
      [refused.status, refused.message, refused.items.map(({ error_code }) => error_code)],
      ['failed', '0 of 2 prompts generated', ['subscription_deactivated', 'subscription_deactivated']],
    );
    model().open();
    const end = await untilBatchEnded(api, name, batch);
    model().close();
    assert.deepEqual([end.status, end.message], ['completed', '6 of 6 prompts generated']);
    for (const [index, { status_url, task_id }] of batch.items.entries()) {
      const item: Status = await api.status(name, { status_url });
      assert.deepEqual([item.task_id, item.status, item.generated_by_ai], [task_id, 'completed', index !== 2]);
      if (index !== 2) assert.equal(item.prompt, PROMPT);
    }
    const { charges, sum } = await api.ledger(name);
    const paid = batch.items.filter(({ index }) => index !== 2).map(({ task_id }) => task_id);
    assert.deepEqual(charges.map(({ task_id }) => task_id).sort(), paid);
    assert.deepEqual((await api.account(name)).tokens, { balance: sum, held: 0, available: 100_000 - 5 * 150 });
  });

  it('tells of a batch as it goes on, by events and by waiting, also by its cookie alone', async () => {
    const name = await owner();
    const answer = await api.call('POST', GENERATE_BATCH_PATH, {
      as: name,
      body: { manual_prompts: textsOf('slow', 'slow', 'fine') },
    });
    const { status_url } = (await answer.json()) as StartedBatch;
    const Cookie = answer.headers.get('set-cookie')!.split(';', 1)[0]!;
    const url = `${api.url()}${status_url}`;
    const events = fetch(url, { headers: { Cookie, Accept: 'text/event-stream' } }).then((stream) => stream.text());
    await eventually(async () => {
      const { counts } = await read(api, name, { status_url });
      assert.deepEqual([counts.processing, counts.completed], [2, 1]);
    });
    const now = await fetch(url, { headers: { Cookie } });
    const waiting = fetch(url, { headers: { Cookie, Prefer: 'wait=25', 'If-None-Match': now.headers.get('etag')! } });
    model().open();
    assert.ok(((await (await waiting).json()) as BatchState).progress > ((await now.json()) as BatchState).progress);
    const told = [...(await events).matchAll(/^data: ([^\n]*)$/gm)].map(([, data]) => JSON.parse(data!) as BatchState);
    model().close();
    assert.equal(told.at(-1)?.status, 'completed');
    assert.deepEqual(
      told.map(({ progress }) => progress),
      told.map(({ progress }) => progress).sort((one, other) => one - other),
    );
  });

  it('cancels what of a batch goes on: the model hears of it, and nothing is charged for that', async () => {
    const name = await owner();
    const batch = await startBatch(api, name, textsOf('fine', 'long', 'slow'));
    await eventually(async () => {
      const { items } = await read(api, name, batch);
      assert.equal(items[0]!.progress, 100);
      assert.ok(items[2]!.progress >= 50);
    });
    assert.equal((await api.call('POST', `${batch.status_url}cancel/`, { as: name })).status, 202);
    const end = await untilBatchEnded(api, name, batch);
    assert.equal(end.items[2]!.error_code, 'cancelled');
    assert.equal((await api.call('DELETE', batch.status_url, { as: name })).status, 200);
    const { charges } = await api.ledger(name);
    assert.equal(charges.length, end.counts.completed);
    assert.equal((await api.account(name)).tokens.held, 0);
  });

  it('makes one batch out of 10 equal starts with one key, and shows it to nobody else', async () => {
    const [name, other] = [await owner(), await owner()];
    const texts = textsOf('fine', 'fine');
    const all = await Promise.all(
      Array.from({ length: 10 }, () => startBatch(api, name, texts, { 'Idempotency-Key': 'k' })),
    );
    const [batch] = all as [StartedBatch];
    for (const one of all) assert.deepEqual(one, batch);
    await untilBatchEnded(api, name, batch);
    for (const text of texts) assert.equal(model().callsFor(text), 1);
    assert.equal((await api.ledger(name)).charges.length, 2);
    const again = await api.call('POST', GENERATE_BATCH_PATH, {
      as: name,
      headers: { 'Idempotency-Key': 'k' },
      body: { manual_prompts: [texts[0]] },
    });
    assert.equal(again.status, 422);
    for (const { status_url } of [batch, ...batch.items])
      assert.equal((await api.call('GET', status_url, { as: other })).status, 404);
    assert.notEqual((await startBatch(api, other, texts, { 'Idempotency-Key': 'k' })).batch_id, batch.batch_id);
  });
}
