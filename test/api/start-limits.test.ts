import assert from 'node:assert/strict';
import { GENERATE_ASYNC_PATH, GENERATE_PATH } from '../../src/contract/names.js';
import { useTestApi } from './support/test-api.js';
import { tokenOf } from './support/tokens.js';

const POLICY = '"starts";q=60;w=60, "running";q=20;qu="concurrent-requests"';

for (const path of [GENERATE_ASYNC_PATH, GENERATE_PATH]) {
  describe(`The limits on starts, at ${path}`, () => {
    const api = useTestApi();
    let token: string;

    beforeEach(async () => {
      token = await tokenOf('acct-1');
      // The blocking endpoint waits for no end here.
      api().generations.waitResult = { outcome: 'still_running' };
    });

    const start = (body: unknown = { manual_prompt: 'x' }, headers: Record<string, string> = {}) =>
      api().call('POST', path, { token, body, headers });
    const limitsOf = ({ headers }: { headers: Headers }) => [headers.get('ratelimit-policy'), headers.get('ratelimit')];

    it('are told with a start, and what is left of them', async () => {
      assert.deepEqual(limitsOf(await start()), [POLICY, '"starts";r=58;t=41, "running";r=19']);
    });

    it('are told with what is refused for another reason, and where nobody asked what is left', async () => {
      const blank = await start({ manual_prompt: '' });
      assert.deepEqual([blank.status, ...limitsOf(blank)], [400, POLICY, null]);
      api().generations.away = true;
      const away = await start();
      assert.deepEqual([away.status, ...limitsOf(away)], [503, POLICY, null]);
    });

    it('refuse with 429, say which one it was and when to come again', async () => {
      const quota = { starts: 0, startsResetMs: 16_200, running: 3 };
      api().generations.limited = { outcome: 'limited', limit: 'starts', retryAfterMs: 16_200, quota };
      const answer = await start();
      assert.deepEqual([answer.status, answer.body.code], [429, 'rate_limited']);
      assert.equal(answer.body.message, 'At most 60 generations can be started in a minute. Please try again in 17 s.');
      assert.equal(answer.headers.get('retry-after'), '17');
      assert.deepEqual(limitsOf(answer), [POLICY, '"starts";r=0;t=17, "running";r=3']);
      assert.equal(answer.headers.has('set-cookie'), false);
      assert.deepEqual(api().generations.starts, []);
    });

    it('say so of too many that run, too', async () => {
      const quota = { starts: 3, startsResetMs: 100, running: 0 };
      api().generations.limited = { outcome: 'limited', limit: 'running', retryAfterMs: 2_000, quota };
      const answer = await start();
      assert.equal(
        answer.body.message,
        'At most 20 generations can run at a time. Please try again when one has ended.',
      );
      assert.equal(answer.headers.get('retry-after'), '2');
      assert.deepEqual(limitsOf(answer), [POLICY, '"starts";r=3;t=1, "running";r=0']);
    });

    it('of the whole service are told with 503 and when to come again', async () => {
      api().generations.limited = { outcome: 'overloaded', byOwner: false, retryAfterMs: 3_200 };
      const answer = await start();
      assert.deepEqual([answer.status, answer.body.code], [503, 'overloaded']);
      assert.equal(answer.headers.get('retry-after'), '4');
      assert.equal(answer.headers.has('set-cookie'), false);
      assert.deepEqual(limitsOf(answer), [POLICY, null]);
      api().generations.limited = { outcome: 'overloaded', byOwner: true, retryAfterMs: 3_200 };
      const own = await start();
      assert.deepEqual(
        [own.status, own.body.code, own.headers.get('retry-after'), own.body.message],
        [429, 'rate_limited', '4', 'Too many of your generations wait for their first step. Please try again later.'],
      );
    });

    it('never ask for another request at once', async () => {
      const quota = { starts: 0, startsResetMs: 0, running: 0 };
      api().generations.limited = { outcome: 'limited', limit: 'starts', retryAfterMs: 0, quota };
      assert.equal((await start()).headers.get('retry-after'), '1');
    });

    it('count in the metrics by the limit that refused', async () => {
      const quota = { starts: 0, startsResetMs: 1, running: 0 };
      for (const limit of ['starts', 'running'] as const) {
        api().generations.limited = { outcome: 'limited', limit, retryAfterMs: 1, quota };
        await start();
      }
      const { values } = await api().metrics.starts.get();
      assert.deepEqual(
        values.filter(({ value }) => value > 0).map(({ labels, value }) => [labels.outcome, value]),
        [
          ['limited_starts', 1],
          ['limited_running', 1],
        ],
      );
    });
  });
}

describe('The limits on starts', () => {
  const api = useTestApi();

  it('are no matter of any other route: a status is never limited', async () => {
    const token = await tokenOf('acct-1');
    const started = await api().call('POST', GENERATE_ASYNC_PATH, { token, body: { manual_prompt: 'x' } });
    const quota = { starts: 0, startsResetMs: 1, running: 0 };
    api().generations.limited = { outcome: 'limited', limit: 'starts', retryAfterMs: 1, quota };
    const status = await api().call('GET', String(started.body.status_url), { token });
    assert.equal(status.status, 200);
    assert.equal(status.headers.has('ratelimit'), false);
  });
});
