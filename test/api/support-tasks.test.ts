import assert from 'node:assert/strict';
import { TASK } from './support/fake-support.js';
import { useTestApi } from './support/test-api.js';
import { adminToken, tokenOf } from './support/tokens.js';

const TASKS = '/api/v1/support/tasks/';
const OTHER = '00000000-0000-4000-8000-000000000000';
const REASON = { reason: 'Ticket 4711' };
const BY = { actor: 'support-1', requestId: 'request-1' };

/** Every way in, with a body that is good. */
const WAYS: [method: string, path: string, body?: object][] = [
  ['GET', TASKS],
  ['GET', `${TASKS}${TASK}/`],
  ['POST', `${TASKS}${TASK}/reveal/`, REASON],
  ['POST', `${TASKS}${TASK}/cancel/`, REASON],
  ['POST', `${TASKS}${TASK}/history/`, REASON],
  ['POST', `${TASKS}${TASK}/retry/`, { ...REASON, charge: 'none' }],
];

describe('Support', () => {
  const api = useTestApi();
  let token: string;

  beforeEach(async () => {
    token = await tokenOf('support-1', { scope: 'support' });
  });

  const call = (method: string, path: string, body?: object) =>
    api().call(method, path, { token, headers: { 'X-Request-Id': BY.requestId }, ...(body ? { body } : {}) });

  describe('finds tasks', () => {
    it('by everything it may be asked for', async () => {
      const query =
        `?limit=7&cursor=abc&task_id=${TASK}&owner=acct%2042&state=fallback&error_code=internal` +
        '&from=2026-11-24T08:00:00%2B01:00&to=2026-11-25T00:00:00Z&q=answered%20401';
      const answer = await call('GET', TASKS + query);
      assert.equal(answer.status, 200);
      assert.deepEqual(api().support.filters, [
        {
          cursor: 'abc',
          limit: 7,
          taskId: TASK,
          owner: 'acct 42',
          state: 'fallback',
          code: 'internal',
          from: new Date('2026-11-24T07:00:00Z'),
          to: new Date('2026-11-25T00:00:00Z'),
          text: 'answered 401',
        },
      ]);
      const { tasks, next_cursor } = answer.body as { tasks: Record<string, unknown>[]; next_cursor: string };
      const { task_id, error_code, reason } = tasks[0]!;
      assert.deepEqual(
        [task_id, error_code, reason, next_cursor],
        [TASK, 'internal', 'finalize: timed out (SCHEDULE_TO_CLOSE)', 'next'],
      );
    });

    for (const query of [
      ...['?limit=0', '?cursor=nonsense', '?owner=', '?owner=%00', '?state=broken', '?error_code=oops'],
      ...['?from=yesterday', '?to=2026-11-24', '?q=', '?q=%00', '?task_id=%00', `?q=${'x'.repeat(201)}`],
    ]) {
      it(`refuses ${query.slice(0, 20)}`, async () => {
        const answer = await call('GET', TASKS + query);
        assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_request']);
      });
    }
  });

  it('shows a task of any owner, without a text of it, and where to look further', async () => {
    const answer = await call('GET', `${TASKS}${TASK}/`);
    assert.equal(answer.status, 200);
    const { state, owner, temporal, temporal_url, run } = answer.body;
    assert.deepEqual([state, owner, temporal, temporal_url], ['queued', 'acct_42', 'known', null]);
    assert.match(JSON.stringify(run), /The model answered 503/);
    assert.doesNotMatch(answer.text, /zanzibar/);
  });

  it('reveals the texts to those who say why', async () => {
    const answer = await call('POST', `${TASKS}${TASK}/reveal/`, REASON);
    assert.deepEqual([answer.status, answer.body], [200, { manual_prompt: 'zanzibar', prompt: null }]);
    assert.deepEqual(api().support.done, [['reveal', TASK, 'Ticket 4711', BY]]);
  });

  it('exports the history to those who say why', async () => {
    const answer = await call('POST', `${TASKS}${TASK}/history/`, REASON);
    assert.deepEqual([answer.status, answer.body], [200, { task_id: TASK, history: { events: [{ eventId: '1' }] } }]);
    assert.deepEqual(api().support.done, [['history', TASK, 'Ticket 4711', BY]]);
  });

  it('cancels a task for those who say why, and says where there is nothing to do', async () => {
    const first = await call('POST', `${TASKS}${TASK}/cancel/`, REASON);
    assert.deepEqual([first.status, first.body.outcome, first.body.state], [202, 'requested', 'queued']);
    const second = await call('POST', `${TASKS}${TASK}/cancel/`, REASON);
    assert.deepEqual([second.status, second.body.outcome], [200, 'nothing_to_do']);
    assert.deepEqual(api().support.done[0], ['cancel', TASK, 'Ticket 4711', BY]);
  });

  describe('lets a task run again', () => {
    const retry = (body: object) => call('POST', `${TASKS}${TASK}/retry/`, { ...REASON, ...body });

    it('and says what it may cost and who pays, as the same task from the start unless told otherwise', async () => {
      const answer = await retry({ charge: 'customer' });
      assert.deepEqual(
        [answer.status, answer.body.task_id, answer.body.retrying, answer.body.charge, answer.body.may_charge],
        [202, TASK, true, 'customer', 3_242],
      );
      assert.deepEqual(api().support.retries, [
        {
          reason: 'Ticket 4711',
          charge: 'customer',
          as: 'same',
          from: 'start',
          manualPrompt: undefined,
          key: undefined,
          dryRun: false,
        },
      ]);
      assert.deepEqual(api().support.done, [['retry', TASK, 'Ticket 4711', BY]]);
    });

    it('under an Idempotency-Key, where there is one, and not under a bad one', async () => {
      const again = (key: string) =>
        api().call('POST', `${TASKS}${TASK}/retry/`, {
          token,
          body: { ...REASON, charge: 'customer', as: 'new' },
          headers: { 'Idempotency-Key': key },
        });
      assert.equal((await again('k')).status, 202);
      assert.equal(api().support.retries[0]?.key, 'k');
      assert.equal((await again('x'.repeat(256))).body.code, 'invalid_idempotency_key');
    });

    it('only in words, in a dry run', async () => {
      const body = { charge: 'none', as: 'new', manual_prompt: ' Be kind. ', dry_run: true };
      const answer = await retry(body);
      assert.deepEqual([answer.status, answer.body.task_id, answer.body.retrying], [200, null, false]);
      assert.equal(api().support.retries[0]?.manualPrompt, 'Be kind.');
      assert.deepEqual(api().support.done, []);
    });

    it('says 409 and why where it can’t', async () => {
      const answer = await retry({ charge: 'customer', from: 'failed_step' });
      assert.deepEqual([answer.status, answer.body.code], [409, 'not_retryable']);
      assert.equal(answer.body.detail, 'No step of it failed.');
    });

    for (const wrong of [
      {},
      { charge: 'me' },
      { charge: 'none', from: 'middle' },
      { charge: 'none', from: 'failed_step', as: 'new' },
      { charge: 'none', from: 'failed_step', manual_prompt: 'x' },
      { charge: 'none', manual_prompt: ' ' },
      { charge: 'none', manual_prompt: 'x'.repeat(10_001) },
      { charge: 'none', dry_run: 'yes' },
    ]) {
      it(`but not ${JSON.stringify(wrong).slice(0, 50)}`, async () => {
        const answer = await retry(wrong);
        assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_request']);
        assert.deepEqual(api().support.retries, []);
      });
    }
  });

  for (const [method, path, body] of WAYS) {
    describe(`${method} ${path.replace(TASK, '{task_id}')}`, () => {
      it('is for support and admins, and for no owner, be it the task’s own', async () => {
        const owner = await api().call(method, path, { token: await tokenOf('acct_42'), body });
        assert.deepEqual([owner.status, owner.body.code], [403, 'insufficient_scope']);
        assert.match(owner.headers.get('www-authenticate') ?? '', /scope="support"/);
        const nobody = await api().call(method, path, { body });
        assert.deepEqual([nobody.status, nobody.body.code], [401, 'unauthorized']);
        assert.deepEqual([api().support.done, api().support.filters], [[], []]);
        assert.ok((await api().call(method, path, { token: await adminToken(), body })).status < 300);
      });

      it('says 503 while the database is away, without a word of the inside', async () => {
        api().support.outage = new Error('connect ECONNREFUSED 127.0.0.1:5432');
        const answer = await call(method, path, body);
        assert.deepEqual([answer.status, answer.body.code], [503, 'unavailable']);
        assert.doesNotMatch(answer.text, /ECONNREFUSED|5432/);
      });

      if (path !== TASKS) {
        it('says 404 for a task that never existed', async () => {
          const answer = await call(method, path.replace(TASK, OTHER), body);
          assert.deepEqual([answer.status, answer.body.code], [404, 'task_not_found']);
        });
      }
      if (body) {
        for (const wrong of [{}, { reason: ' ' }, { reason: 7 }, { reason: 'x'.repeat(501) }, { ...REASON, more: 1 }]) {
          it(`wants a reason, and not ${JSON.stringify(wrong).slice(0, 30)}`, async () => {
            const answer = await call(method, path, wrong);
            assert.deepEqual([answer.status, answer.body.code], [400, 'invalid_request']);
            assert.deepEqual(api().support.done, []);
          });
        }
      }
    });
  }

  for (const [method, path, body] of WAYS.filter(([, way]) => /cancel|retry|history|\d\/$/.test(way))) {
    it(`says 503 to ${method} ${path.slice(-8)} while nothing can be said of the task without Temporal`, async () => {
      api().support.temporalAway = true;
      const answer = await call(method, path, body);
      assert.deepEqual([answer.status, answer.body.code], [503, 'unavailable']);
    });
  }
});
