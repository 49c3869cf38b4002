import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { findTemporalCli } from '../../src/dev/temporal-cli.js';
import { startBrowser } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import { tokenFor } from '../support/program.js';
import { GENERATED, TestService } from '../support/service.js';
import { startTlsFront } from '../support/tls-front.js';
import { storedOf, type Stored } from './stored.js';
import { masterKeySetting } from './support.js';

/** In what the owner writes, what the model answers, and what it says when it fails. */
const OWNER_WORD = 'zanzibar';
const MODEL_WORDS = GENERATED.split('\n')[0]!;
const ERROR_WORD = 'internal.host';

describe('With keys set', function () {
  this.timeout(120_000);
  let service: TestService;
  let connection: Connection;
  let owner: string;

  before(async function () {
    this.timeout(600_000);
    service = await TestService.start({ PAYLOAD_ENCRYPTION_KEYS: masterKeySetting() });
    connection = await Connection.connect({ address: `127.0.0.1:${service.settings.TEMPORAL_DEV_PORT!}` });
    owner = await service.owner(100_000, { business_type: 'Shoe store' });
  });
  after(async () => {
    await connection.close();
    await service.stop();
  });

  const assertHidden = ({ text, encodings }: Stored): void => {
    for (const word of [OWNER_WORD, MODEL_WORDS, ERROR_WORD, owner]) {
      assert.equal(text.includes(word), false, `${word} is in clear`);
    }
    assert.ok(encodings.length > 5, `only ${encodings.length} payloads`);
    assert.deepEqual(new Set(encodings), new Set(['binary/encrypted']));
  };

  it('Temporal has no word of a generation in clear, and the owner reads all of it', async () => {
    const task = await service.api.start(owner, `We sell shoes of ${OWNER_WORD}.`);
    const end = await service.api.untilEnded(owner, task);
    assert.deepEqual([end.status, end.prompt], ['completed', GENERATED]);
    const stored = await storedOf(connection, task.task_id);
    assertHidden(stored);
    assert.ok(stored.text.includes(task.task_id), 'what is not encrypted is found');
    assert.equal(new Set(stored.keyIds).size, 1, "one key: the owner's");
  });

  it('nor of one that runs, is cancelled, was refused by the model, or was tried again', async () => {
    const running = await service.api.start(owner, `slow ${OWNER_WORD}`);
    await service.api.untilProgress(owner, running, 50);
    assertHidden(await storedOf(connection, running.task_id));
    await service.api.call('DELETE', running.status_url, { as: owner });
    assert.equal((await service.api.untilEnded(owner, running)).error_code, 'cancelled');
    service.open();

    const fallback = await service.api.start(owner, `refused ${OWNER_WORD}`);
    assert.equal((await service.api.untilEnded(owner, fallback)).generated_by_ai, false);

    const flaky = await service.api.start(owner, `flaky ${OWNER_WORD}`);
    await eventually(async () => {
      const { pendingActivities } = await connection.workflowService.describeWorkflowExecution({
        namespace: 'default',
        execution: { workflowId: flaky.task_id },
      });
      assert.equal(pendingActivities[0]?.lastFailure?.message, 'Encoded failure');
    });
    assertHidden(await storedOf(connection, flaky.task_id));
    assert.equal((await service.api.untilEnded(owner, flaky)).generated_by_ai, true);

    for (const { task_id } of [running, fallback, flaky]) assertHidden(await storedOf(connection, task_id));
  });

  it('but for its search attributes: ids, states and figures, without which nobody finds it', async () => {
    const type = `Shoes of ${randomUUID()}`;
    const known = await service.owner(10_000, { business_type: type });
    const task = await service.api.start(known, `We sell shoes of ${OWNER_WORD}.`);
    await service.api.untilEnded(known, task);
    // Its owner is told of the end as soon as that is stored; its run ends a moment later.
    const { searchAttributes, text } = await eventually(async () => {
      const stored = await storedOf(connection, task.task_id);
      for (const value of [known, type, 'test-model-2026'])
        assert.ok(stored.searchAttributes.includes(JSON.stringify(value)), value);
      return stored;
    });
    for (const value of [known, type, 'test-model-2026'])
      assert.equal(text.includes(value), false, `${value} elsewhere`);
    for (const word of [OWNER_WORD, MODEL_WORDS]) assert.equal(searchAttributes.includes(word), false, word);
  });

  it('nor of what its worker says of it now', async () => {
    const task = await service.api.start(owner, `slow ${OWNER_WORD}`);
    await service.api.untilProgress(owner, task, 50);
    const { queryResult } = await connection.workflowService.queryWorkflow({
      namespace: 'default',
      execution: { workflowId: task.task_id },
      query: { queryType: '__temporal_workflow_metadata' },
    });
    const [payload] = queryResult?.payloads ?? [];
    assert.equal(Buffer.from(payload!.metadata!.encoding!).toString(), 'binary/encrypted');
    service.open();
    await service.api.untilEnded(owner, task);
  });

  it("the Temporal CLI shows it in clear to the bearer of the scope support, by the API's codec", async () => {
    const task = await service.api.start(owner, `We sell shoes of ${OWNER_WORD}.`);
    await service.api.untilEnded(owner, task);
    const cli = await findTemporalCli(() => undefined);
    const show = async (...options: string[]) => {
      const address = ['--address', `127.0.0.1:${service.settings.TEMPORAL_DEV_PORT!}`];
      const command = ['workflow', 'show', '--workflow-id', task.task_id, ...address, ...options];
      const { stdout } = await promisify(execFile)(cli, command, { maxBuffer: 50e6 });
      return [...stdout.matchAll(/"data": "(.*)"/g)].map(([, data]) => Buffer.from(data!, 'base64').toString()).join();
    };
    const auth = `Bearer ${await tokenFor('sue', 'support')}`;
    const shown = await show('--output', 'json', '--codec-endpoint', `${service.url}/codec`, '--codec-auth', auth);
    assert.match(shown, new RegExp(`We sell shoes of ${OWNER_WORD}`));
    assert.ok(shown.includes(MODEL_WORDS), 'the answer of the model');
    assert.doesNotMatch(await show('--output', 'json'), new RegExp(OWNER_WORD));
  });

  it("Temporal's own Web UI shows it in clear to whoever signs in with the scope support, and to nobody else", async () => {
    const task = await service.api.start(owner, `We sell shoes of ${OWNER_WORD}.`);
    await service.api.untilEnded(owner, task);
    const [front, browser] = [await startTlsFront(service.url), await startBrowser()];
    try {
      const open = async (scope: string) => {
        const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1400, height: 1200 } });
        // As its page "Codec Server" and its sign-in store them. It passes tokens to https addresses only.
        const stored = {
          endpoint: `${front.url}/codec`,
          passAccessToken: true,
          overrideRemoteCodecConfiguration: true,
          AuthUser: { accessToken: await tokenFor('sue', scope) },
        };
        const script = `for (const [name, value] of Object.entries(${JSON.stringify(stored)}))
          localStorage.setItem(name, JSON.stringify(value));`;
        await context.addInitScript(script);
        // A dev server's UI has no sign-in and forgets tokens; the server of one that has it says so.
        await context.route('**/api/v1/settings*', async (route) => {
          const answer = await route.fetch();
          const settings = (await answer.json()) as { Auth: object };
          await route.fulfill({ json: { ...settings, Auth: { ...settings.Auth, Enabled: true } } });
        });
        const page = await context.newPage();
        const ui = `http://127.0.0.1:${service.settings.TEMPORAL_DEV_UI_PORT!}`;
        const answered = page.waitForResponse((response) => response.url().endsWith('/codec/decode'));
        await page.goto(`${ui}/namespaces/default/workflows/${task.task_id}`);
        return { page, status: (await answered).status() };
      };
      const support = await open('support');
      assert.equal(support.status, 200);
      await support.page.getByText(`We sell shoes of ${OWNER_WORD}.`).first().waitFor();
      await support.page.getByText(MODEL_WORDS).first().waitFor();
      if (process.env.SAVE_SCREENSHOTS) {
        await support.page.screenshot({ path: join(process.env.SAVE_SCREENSHOTS, 'temporal-ui-decrypted.png') });
      }
      const other = await open('');
      assert.equal(other.status, 403);
      const encoding = Buffer.from('binary/encrypted').toString('base64');
      await other.page.getByText(encoding).first().waitFor();
      assert.equal(await other.page.getByText(OWNER_WORD).count(), 0);
    } finally {
      await browser.close();
      await front.stop();
    }
  });

  it('not even the files of its database have a word, and the next start reads all of it', async () => {
    const task = await service.api.start(owner, `Sandals of ${OWNER_WORD}`);
    const end = await service.api.untilEnded(owner, task);
    assert.equal(await service.program.stop(), 0);
    const files = (await readdir(service.folder)).filter((name) => name.startsWith('temporal.db'));
    const bytes = Buffer.concat(await Promise.all(files.map((name) => readFile(join(service.folder, name)))));
    assert.ok(bytes.includes(task.task_id), 'these are the right files');
    for (const word of [OWNER_WORD, MODEL_WORDS, ERROR_WORD]) assert.equal(bytes.includes(word), false, word);
    await service.run();
    assert.equal((await service.api.status(owner, task)).prompt, end.prompt);
  });
});
