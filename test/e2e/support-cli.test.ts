import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { statusPath } from '../../src/contract/names.js';
import { masterKeySetting } from '../encryption/support.js';
import { eventually } from '../support/eventually.js';
import { tokenFor } from '../support/program.js';
import { TestService } from '../support/service.js';

interface Ended {
  code: number;
  out: string;
  error: string;
}

describe('npm run support', function () {
  this.timeout(120_000);
  let service: TestService;
  let token: string;
  let admin: string;

  before(async function () {
    this.timeout(700_000);
    service = await TestService.start({ PAYLOAD_ENCRYPTION_KEYS: masterKeySetting() });
    token = await tokenFor('support-1', 'support');
    admin = await tokenFor('admin-1', 'admin');
  });
  after(() => service.stop());
  beforeEach('the AI is away', () => {
    service.aiIsBack = false;
  });

  /** Runs the CLI with these settings alone. */
  const cli = (args: string[], settings: Record<string, string> = {}): Promise<Ended> =>
    new Promise((resolve) => {
      const env = { PATH: process.env.PATH, SUPPORT_API_URL: service.url, SUPPORT_API_TOKEN: token, ...settings };
      execFile(process.execPath, ['dist/support-cli/main.js', ...args], { env }, (error, out, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, error: stderr });
      });
    });
  const json = async <T>(args: string[], settings?: Record<string, string>): Promise<T> => {
    const { code, out, error } = await cli([...args, '--json'], settings);
    assert.equal(code, 0, error);
    return JSON.parse(out) as T;
  };
  const fallback = async () => {
    const owner = await service.owner();
    const task = await service.api.start(owner, `refused: zanzibar ${randomUUID()}`);
    await service.api.untilEnded(owner, task);
    return { owner, id: task.task_id };
  };

  it('finds a fallback by its owner, state, time and the text of its error, and shows why', async () => {
    const { owner, id } = await fallback();
    const found = await cli([
      'find',
      '--owner',
      owner,
      '--state',
      'fallback',
      '--since',
      '5m',
      '--error',
      'answered 401',
    ]);
    assert.equal(found.code, 0, found.error);
    assert.match(found.out, new RegExp(`^TASK.*\\n${id}  ${owner}  .*  fallback`));
    const { tasks } = await json<{ tasks: { task_id: string }[] }>(['find', '--owner', owner]);
    assert.deepEqual(
      tasks.map(({ task_id }) => task_id),
      [id],
    );
    const shown = await cli(['show', id]);
    assert.equal(shown.code, 0, shown.error);
    assert.match(shown.out, /^The AI could not be used/);
    assert.match(shown.out, /Why: generateWithAI: The model answered 401/);
    assert.match(shown.out, /Nothing was charged\./);
    assert.match(shown.out, new RegExp(`Temporal +http://127\\.0\\.0\\.1:\\d+/namespaces/default/workflows/${id}`));
    assert.match(shown.out, /step_failed +generateWithAI +1 +The model answered 401/);
    assert.doesNotMatch(shown.out, /zanzibar/);
  });

  it('reveals the texts to who says why, and shows that it did', async () => {
    const { id } = await fallback();
    const { code, out } = await cli(['show', id, '--reveal', '--reason', 'Ticket 4711']);
    assert.equal(code, 0);
    assert.match(out, /THE OWNER’S TEXT\nrefused: zanzibar/);
    const shown = await cli(['show', id]);
    assert.match(shown.out, /support-1 +reveal_texts +Ticket 4711/);
  });

  it('lets many fallbacks run again when the AI is back, in place, after it has said what that may cost', async () => {
    const owner = await service.owner();
    const tasks = [];
    for (let n = 0; n < 2; n++) tasks.push(await service.api.start(owner, `broken ${randomUUID()}`));
    for (const task of tasks) assert.equal((await service.api.untilEnded(owner, task)).generated_by_ai, false);
    service.aiIsBack = true;
    const args = ['retry', '--owner', owner, '--state', 'fallback', '--charge', 'none', '--reason', 'Outage of Monday'];
    const dry = await cli(args);
    assert.equal(dry.code, 0, dry.error);
    assert.match(dry.out, /2 of 2 would run again; nobody is charged; the model may take \d+\.\nNothing was done yet/);
    assert.equal((await service.api.status(owner, tasks[0]!)).generated_by_ai, false);
    const done = await cli([...args, '--yes']);
    assert.match(done.out, /2 of 2 run again; nobody is charged/);
    for (const task of tasks) {
      await eventually(async () => {
        const now = await service.api.status(owner, task);
        assert.deepEqual([now.status, now.generated_by_ai, now.tokens?.charged], ['completed', true, 0]);
      });
    }
    assert.deepEqual((await service.api.account(owner)).tokens, { balance: 10_000, held: 0, available: 10_000 });
    const again = await cli(['retry', tasks[0]!.task_id, '--charge', 'customer', '--reason', 'x', '--yes']);
    assert.equal(again.code, 1);
    assert.match(again.out, /It has its prompt by the AI/);
    const shown = await cli(['show', tasks[0]!.task_id]);
    assert.match(shown.out, /support-1 +retry_task +Outage of Monday/);
  });

  it('lets a task go on from the step that failed, with another text, or as another task', async () => {
    const owner = await service.owner();
    const task = await service.api.start(owner, `broken ${randomUUID()}`);
    await service.api.untilEnded(owner, task);
    service.aiIsBack = true;
    const from = await cli([
      ...['retry', task.task_id, '--charge', 'customer', '--from', 'failed-step', '--reason', 'Ticket 3', '--yes'],
    ]);
    assert.match(from.out, /runs +generateWithAI/);
    await eventually(async () => {
      assert.equal((await service.api.status(owner, task)).tokens?.charged, 150);
    });
    const { id, owner: other } = await fallback();
    const lines = await json<{ plan: { task_id: string } }[]>([
      ...['retry', id, '--charge', 'customer', '--as', 'new', '--text', 'We sell boots.', '--reason', 'x', '--yes'],
    ]);
    const next = lines[0]!.plan.task_id;
    assert.notEqual(next, id);
    await eventually(async () => {
      const now = await service.api.status(other, { status_url: statusPath(next) });
      assert.equal(now.generated_by_ai, true);
    });
  });

  it('replays a task, a file and the newest runs, encrypted as they are, and says where the code departs', async () => {
    const owner = await service.owner();
    const { task_id } = await service.api.start(owner, 'zanzibar shoes');
    await service.api.untilEnded(owner, { status_url: statusPath(task_id) });
    const asked = service.llm.requests().length;
    const folder = await mkdtemp(join(tmpdir(), 'histories-'));
    try {
      const file = join(folder, 'run.json');
      const exported = await cli(['history', task_id, '--reason', 'Ticket 5', '--output', file]);
      assert.equal(exported.code, 0, exported.error);
      const history = await readFile(file, 'utf8');
      assert.doesNotMatch(history, /zanzibar|emFuemliYXI/);
      const recent = { TEMPORAL_ADDRESS: `127.0.0.1:${service.settings.TEMPORAL_DEV_PORT}` };
      for (const [args, settings] of [
        [[task_id, '--reason', 'Ticket 5'], {}],
        [[file], {}],
        [['--recent', '500'], recent],
      ] as const) {
        const { code, out, error } = await cli(['replay', ...args], settings);
        assert.deepEqual([code, error], [0, ''], out);
        assert.match(out, /^(\d+) of \1 compatible with this code\.\n$/);
      }
      const other = join(folder, 'other.json');
      await writeFile(other, history.replaceAll('"checkTokens"', '"checkCredits"'));
      const departs = await cli(['replay', other]);
      assert.deepEqual([departs.code, departs.error], [1, '']);
      assert.match(departs.out, /other\.json +departs +\[TMPRL1100\] .*'checkCredits'/);
      assert.equal(service.llm.requests().length, asked, 'the model was asked nothing');
      const shown = await cli(['show', task_id]);
      assert.match(shown.out, /support-1 +export_history +Ticket 5/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('cancels a running task', async () => {
    const owner = await service.owner();
    const task = await service.api.start(owner, `slow ${randomUUID()}`);
    await service.api.untilProgress(owner, task, 50);
    assert.match((await cli(['cancel', task.task_id, '--reason', 'Ticket 1'])).out, /being cancelled/);
    const end = await service.api.untilEnded(owner, task);
    assert.equal(end.error_code, 'cancelled');
    assert.match((await cli(['cancel', task.task_id, '--reason', 'Ticket 1'])).out, /nothing to do: it is failed/);
  });

  it('shows accounts and grants tokens once per key, for admins only', async () => {
    const owner = await service.owner(1_000);
    const asAdmin = { SUPPORT_API_TOKEN: admin };
    const refused = await cli(['accounts', owner]);
    assert.deepEqual([refused.code, refused.out], [1, '']);
    assert.match(refused.error, /^Error: This needs a token with the scope admin\. \(request /);
    const grant = ['grant', owner, '500', '--reason', 'Ticket 2', '--key', randomUUID()];
    assert.match((await cli(grant, asAdmin)).out, /Granted 500 tokens; the balance was 1500 then/);
    assert.equal((await cli(grant, asAdmin)).code, 0);
    const account = await json<{ tokens: { balance: number }; entries: object[] }>(
      ['accounts', owner, '--ledger'],
      asAdmin,
    );
    assert.deepEqual([account.tokens.balance, account.entries.length], [1_500, 2]);
  });

  it('erases an owner’s data only where it is told to', async () => {
    const owner = await service.owner();
    await service.api.untilEnded(owner, await service.api.start(owner));
    const asAdmin = { SUPPORT_API_TOKEN: admin };
    const asked = await cli(['erase', owner], asAdmin);
    assert.equal(asked.code, 2);
    assert.match(asked.error, /Say --yes/);
    assert.match((await cli(['erase', owner, '--yes'], asAdmin)).out, /1 generations, /);
    assert.match((await cli(['erase', owner, '--receipt'], asAdmin)).out, /2 entries of the ledger kept/);
    assert.equal((await cli(['find', '--owner', owner])).out, 'No such task.\n');
  });

  for (const [args, message] of [
    [['fnid'], /There is no command "fnid"/],
    [['find', '--onwer', 'x'], /--onwer/],
    [['find', '--since', 'yesterday'], /--since: must be like 30m/],
    [['find', '--limit', '0'], /--limit: /],
    [['show', 'nonsense'], /task: must be a task id/],
    [['show', randomUUID(), '--reveal'], /--reason: goes with --reveal/],
    [['show', randomUUID(), 'more'], /"more" is one argument too many/],
    [['cancel', randomUUID()], /--reason: must be given/],
    [['retry', '--charge', 'none', '--reason', 'x'], /name one task, or say by/],
    [['retry', randomUUID(), '--reason', 'x'], /--charge: must be customer or none/],
    [['retry', '--charge', 'none', '--reason', 'x', '--state', 'completed'], /--state: must be failed or fallback/],
    [['retry', '--charge', 'none', '--reason', 'x', '--state', 'failed', '--as', 'new'], /--as: new is for one task/],
    [['replay'], /name a file or a task, or say --recent N/],
    [['replay', '--recent', '5'], /TEMPORAL_ADDRESS .*must be set/],
    [['grant', 'ann', 'many', '--reason', 'x'], /tokens: must be a whole number/],
  ] as const) {
    it(`says what is wrong with ${args.join(' ').slice(0, 30)}, and asks nothing of the service`, async () => {
      const { code, out, error } = await cli([...args], { SUPPORT_API_URL: 'http://127.0.0.1:1' });
      assert.deepEqual([code, out], [2, '']);
      assert.match(error, message);
    });
  }

  it('says 1 for a task that is not there, 2 without a token, 3 while the service does not answer', async () => {
    const none = await cli(['show', randomUUID(), '--json']);
    assert.equal(none.code, 1);
    const { error } = JSON.parse(none.error) as { error: { code: string; request_id: string } };
    assert.equal(error.code, 'task_not_found');
    assert.ok(error.request_id);
    const without = await cli(['find'], { SUPPORT_API_TOKEN: '' });
    assert.equal(without.code, 2);
    assert.match(without.error, /SUPPORT_API_TOKEN: must be set/);
    const away = await cli(['find'], { SUPPORT_API_URL: 'http://127.0.0.1:1' });
    assert.equal(away.code, 3);
    assert.match(away.error, /http:\/\/127\.0\.0\.1:1 does not answer/);
  });

  it('never prints the token, whatever is wrong with it', async () => {
    for (const wrong of ['zanzibar.token', 'zanzibar token', `${token}zanzibar`]) {
      for (const args of [['find'], ['find', '--json']]) {
        const { code, out, error } = await cli(args, { SUPPORT_API_TOKEN: wrong });
        assert.ok(code > 0);
        assert.doesNotMatch(out + error, /zanzibar/);
      }
    }
  });

  it('examines the service, and finds all of it well', async () => {
    const owner = await service.owner();
    const task = await service.api.start(owner, 'shoes');
    await service.api.untilEnded(owner, task);
    interface Diagnosis {
      well: boolean;
      findings: { part: string; ok: boolean; detail: string }[];
    }
    // The reconciler runs each minute: on a service that has just begun it may be yet to come.
    const { findings } = await eventually(
      async () => {
        const { code, out } = await cli(['doctor', '--json']);
        const diagnosis = JSON.parse(out) as Diagnosis;
        assert.deepEqual([code, diagnosis.well], [0, true], out);
        return diagnosis;
      },
      { timeoutMs: 90_000 },
    );
    const parts = findings.map(({ part }) => part);
    for (const part of ['api', 'database', 'migrations', 'temporal', 'workflow workers', 'backlog', 'reconciler']) {
      assert.ok(parts.includes(part), part);
    }
    const { code, out } = await cli(['doctor']);
    assert.equal(code, 0);
    assert.match(out, /^PART .*\n.*^migrations +ok +\d+ applied.*^All is well\.$/ms);
  });

  it('explains itself, and each command', async () => {
    const help = await cli(['help']);
    assert.equal(help.code, 0);
    for (const name of [
      'find',
      'show',
      'retry',
      'cancel',
      'accounts',
      'grant',
      'erase',
      'history',
      'replay',
      'doctor',
    ]) {
      assert.match(help.out, new RegExp(`^ +${name}\\b`, 'm'));
      const own = await cli([name, '--help'], { SUPPORT_API_TOKEN: '' });
      assert.equal(own.code, 0);
      assert.match(own.out, new RegExp(`^Usage: prompt-support ${name}\\b`));
    }
  });
});
