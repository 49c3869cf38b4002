import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { Database } from '../../src/ledger/database.js';
import { createLedger } from '../../src/ledger/ledger.js';
import type { GenerationQuery } from '../../src/ledger/types.js';
import { onEachDatabase } from './databases.js';

/** More than any list here has. */
const MOST_PAGES = 30;

/** A row as a test puts it there; `at` is in microseconds. */
interface Row {
  taskId: string;
  at: number;
  status: 'processing' | 'completed' | 'failed';
  text: string;
  prompt: string;
}

const aRow = (row: Partial<Row> = {}): Row => ({
  taskId: randomUUID(),
  at: 0,
  status: 'processing',
  text: 'We sell shoes.',
  prompt: 'You are kind.',
  ...row,
});

/** What the list must be, by the definition of its order. */
const newestFirst = (rows: Row[]): string[] =>
  [...rows].sort((a, b) => b.at - a.at || (a.taskId < b.taskId ? -1 : 1)).map(({ taskId }) => taskId);

onEachDatabase('The list of generations', (on) => {
  const put = async (owner: string, rows: Row[]): Promise<string> => {
    for (const { taskId, at, status, text, prompt } of rows) {
      await on.db.query(
        `INSERT INTO generations (task_id, owner, manual_prompt, status, created_at, prompt, failure, ended_at)
         VALUES ($1, $2, $3, $4, timestamptz '2026-01-02 03:04:05Z' + $5 * interval '1 microsecond', $6, $7, $8)`,
        [
          taskId,
          owner,
          text,
          status,
          at,
          status === 'completed' ? prompt : null,
          status === 'failed' ? '{"code":"cancelled"}' : null,
          status === 'processing' ? null : new Date(),
        ],
      );
    }
    return owner;
  };
  const page = async (owner: string, query: Partial<GenerationQuery> = {}) => {
    const found = await on.ledger.listGenerations(owner, { limit: 100, ...query });
    assert.ok(found, 'the cursor is one of this list');
    return { ids: found.generations.map(({ taskId }) => taskId), nextCursor: found.nextCursor };
  };
  /** All pages, one after the other; `between` happens after each. */
  const pages = async (owner: string, query: Partial<GenerationQuery>, between?: () => Promise<unknown>) => {
    const seen: string[][] = [];
    let cursor: string | undefined;
    do {
      const { ids, nextCursor } = await page(owner, { ...query, cursor });
      seen.push(ids);
      assert.ok(seen.length <= MOST_PAGES, 'the pages never end');
      cursor = nextCursor ?? undefined;
      await between?.();
    } while (cursor !== undefined);
    return seen;
  };

  it('is empty where there are none', async () => {
    assert.deepEqual(await page(randomUUID()), { ids: [], nextCursor: null });
  });

  it('has each generation whole, as it is read by its id', async () => {
    const owner = randomUUID();
    const ids = [randomUUID(), randomUUID(), randomUUID()];
    for (const [index, taskId] of ids.entries()) {
      await on.ledger.beginGeneration({ taskId, owner, manualPrompt: 'Be kind.', createdAt: new Date(index) });
    }
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    const completed = { status: 'completed', prompt: 'You are kind.', generatedByAi: true, model: 'm', usage } as const;
    await on.ledger.endGeneration({ taskId: ids[0]!, owner, end: completed });
    await on.ledger.endGeneration({ taskId: ids[1]!, owner, end: { status: 'failed', failure: { code: 'internal' } } });
    const { generations } = (await on.ledger.listGenerations(owner, { limit: 3 }))!;
    assert.deepEqual(generations, await Promise.all(ids.reverse().map((id) => on.ledger.getGeneration(id))));
  });

  it('is newest first to the microsecond, and those of the same moment by their id, on every page', async () => {
    const rows = [0, 1, 1, 1, 2, 999, 1_000, 1_001].map((at) => aRow({ at }));
    const owner = await put(randomUUID(), rows);
    for (const limit of [1, 2, 3, 7, 8, 100]) {
      assert.deepEqual((await pages(owner, { limit })).flat(), newestFirst(rows), `${limit} on a page`);
    }
  });

  it('fills each page but the last, and ends where there are no more', async () => {
    const owner = await put(
      randomUUID(),
      [1, 2, 3, 4].map((at) => aRow({ at })),
    );
    const sizes = async (limit: number) => (await pages(owner, { limit })).map(({ length }) => length);
    assert.deepEqual(await sizes(3), [3, 1]);
    assert.deepEqual(await sizes(4), [4]);
    assert.deepEqual(await sizes(2), [2, 2]);
  });

  it('shows nothing twice and skips nothing, whatever its pages, while new ones arrive', async () => {
    const row = fc.record({
      at: fc.integer({ min: 0, max: 5 }),
      status: fc.constantFrom('processing' as const, 'completed' as const, 'failed' as const),
      text: fc.constantFrom('Shoes', 'Hats', ''),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { maxLength: 25 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom(undefined, 'processing' as const, 'completed' as const, 'failed' as const),
        fc.constantFrom(undefined, 'shoes', 'kind'),
        async (made, limit, status, search) => {
          const rows = made.map(aRow);
          const owner = await put(randomUUID(), rows);
          const wanted = rows.filter(
            (one) =>
              (status === undefined || one.status === status) &&
              (search === undefined ||
                one.text.toLowerCase().includes(search) ||
                (one.status === 'completed' && one.prompt.includes(search))),
          );
          let arrived = 5;
          const arrive = () => put(owner, [aRow({ ...wanted[0], taskId: randomUUID(), at: ++arrived })]);
          assert.deepEqual((await pages(owner, { limit, status, search }, arrive)).flat(), newestFirst(wanted));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('goes on after a generation that ended since, and so is none of those looked for', async () => {
    const rows = [3, 2, 1].map((at) => aRow({ at }));
    const owner = await put(randomUUID(), rows);
    const first = await page(owner, { limit: 1, status: 'processing' });
    const end = async ({ taskId }: Row) => {
      await on.ledger.endGeneration({ taskId, owner, end: { status: 'failed', failure: { code: 'internal' } } });
    };
    const next = { cursor: first.nextCursor!, status: 'processing' } as const;
    await end(rows[0]!);
    assert.deepEqual((await page(owner, next)).ids, [rows[1]!.taskId, rows[2]!.taskId]);
    await end(rows[1]!);
    await end(rows[2]!);
    assert.deepEqual(await page(owner, next), { ids: [], nextCursor: null }, 'the cursor is still a good one');
  });

  it("has no row of another owner, and takes no cursor of another owner's list", async () => {
    const [ann, bob] = [await put(randomUUID(), [aRow(), aRow()]), await put(randomUUID(), [aRow(), aRow()])];
    const { generations, nextCursor } = (await on.ledger.listGenerations(ann, { limit: 1 }))!;
    assert.equal(generations[0]!.owner, ann);
    assert.ok(nextCursor);
    assert.equal(await on.ledger.listGenerations(bob, { limit: 1, cursor: nextCursor }), null);
    assert.equal((await page(bob)).ids.length, 2);
    assert.deepEqual((await page(randomUUID())).ids, []);
  });

  it('takes no cursor that it did not make', async () => {
    const owner = await put(randomUUID(), [aRow({ at: 1 }), aRow({ at: 2 }), aRow({ at: 3 })]);
    const { ids, nextCursor } = await page(owner, { limit: 1 });
    const made = (text: string) => Buffer.from(text).toString('base64url');
    for (const cursor of [
      '',
      'nonsense',
      ids[0]!,
      made(ids[0]!),
      made(`entry:${ids[0]!}`),
      made(`generation:${ids[0]!}0`),
      made(`generation:${ids[0]!.toUpperCase()}`),
      made(`generation:${randomUUID()}`),
      made('generation:\0'),
      `${nextCursor!}=`,
      `${nextCursor!}!`,
      ` ${nextCursor!}`,
    ]) {
      assert.equal(await on.ledger.listGenerations(owner, { limit: 1, cursor }), null, cursor);
    }
  });

  describe('when searched', () => {
    const TEXTS = [
      'We sell shoes',
      '100% wool',
      '100 wool',
      'a_b',
      'axb',
      'c:\\temp',
      "it's",
      'Größe ÄÖ',
      'two\nlines',
    ];
    let owner: string;
    before(async () => {
      owner = await put(randomUUID(), [
        ...TEXTS.map((text) => aRow({ text })),
        aRow({ text: 'Hats', status: 'completed', prompt: 'You sell HATS and gloves.' }),
        aRow({ text: 'Gloves', status: 'failed' }),
      ]);
    });
    const find = async (search: string, query: Partial<GenerationQuery> = {}) => {
      const found = await on.ledger.listGenerations(owner, { limit: 100, search, ...query });
      return found!.generations.map(({ manualPrompt }) => manualPrompt).sort();
    };

    it("finds a part of the owner's text or of the prompt, in any case", async () => {
      assert.deepEqual(await find('SHOES'), ['We sell shoes']);
      assert.deepEqual(await find('sell'), ['Hats', 'We sell shoes']);
      assert.deepEqual(await find('gLoVes'), ['Gloves', 'Hats']);
      assert.deepEqual(await find('gRößE ÄÖ'), ['Größe ÄÖ']);
      assert.deepEqual(await find('nowhere'), []);
      // The case of other letters than these is known by the locale of the database.
      const [row] = await on.db.query<{ folds: boolean }>("SELECT lower('Ä') = 'ä' AS folds");
      assert.deepEqual(await find('größe äö'), row!.folds ? ['Größe ÄÖ'] : []);
    });

    it('takes every character for what it is', async () => {
      assert.deepEqual(await find('%'), ['100% wool']);
      assert.deepEqual(await find('0% w'), ['100% wool']);
      assert.deepEqual(await find('_'), ['a_b']);
      assert.deepEqual(await find('A_B'), ['a_b']);
      assert.deepEqual(await find('\\'), ['c:\\temp']);
      assert.deepEqual(await find('C:\\t'), ['c:\\temp']);
      assert.deepEqual(await find('\\%'), []);
      assert.deepEqual(await find("'"), ["it's"]);
      assert.deepEqual(await find('o\nl'), ['two\nlines']);
      assert.deepEqual(await find('.*'), []);
      assert.deepEqual(await find('😀'), []);
    });

    it('finds only what is of the asked-for status too', async () => {
      assert.deepEqual(await find('gloves', { status: 'failed' }), ['Gloves']);
      assert.deepEqual(await find('gloves', { status: 'completed' }), ['Hats']);
      assert.deepEqual(await find('gloves', { status: 'processing' }), []);
    });
  });

  it('is read by its index, a page at a time, however much there is', async () => {
    await on.db.query(
      `INSERT INTO generations (task_id, owner, manual_prompt, created_at)
       SELECT gen_random_uuid()::text, 'owner ' || n % 5, 'text ' || n, now() - n * interval '1 second'
       FROM generate_series(1, 10000) n`,
    );
    await on.db.run('ANALYZE generations');
    let asked: Parameters<Database['query']>;
    const spied = createLedger({
      ...on.db,
      query: (...args) => {
        asked = args;
        return on.db.query(...args);
      },
    });
    const planOf = async (query: Partial<GenerationQuery>) => {
      await spied.listGenerations('owner 1', { limit: 20, ...query });
      const [text, params] = asked;
      const lines = await on.db.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, params);
      return lines.map((line) => line['QUERY PLAN']).join('\n');
    };
    const { nextCursor } = await page('owner 1', { limit: 1_000 });
    for (const query of [{}, { status: 'processing' }, { search: 'text' }] as const) {
      for (const cursor of [undefined, nextCursor!]) {
        const plan = await planOf({ ...query, cursor });
        assert.match(plan, /^ +-> +Index Scan using generations_of_owner/m, plan);
        assert.doesNotMatch(plan, /Sort|Seq Scan/, plan);
        assert.match(plan, cursor ? /Index Cond: .*owner.*created_at <=/ : /Index Cond: .*owner/, plan);
      }
    }
  });
});
