import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { runInNewContext } from 'node:vm';
import { GENERATE_ASYNC_PATH, statusPath } from '../../src/contract/names.js';
import { tagOf } from '../../src/api/generations/status-tag.js';
import { failedSnapshot, queuedSnapshot } from '../../src/contract/snapshot.js';
import { eventually } from '../support/eventually.js';
import { useTestApi } from './support/test-api.js';
import { tokenOf } from './support/tokens.js';

const EVENTS = { Accept: 'text/event-stream' };

describe('the ways to a status', () => {
  const api = useTestApi();
  let token: string;
  let taskId: string;

  beforeEach(async () => {
    token = await tokenOf('acct-1');
    const { body } = await api().call('POST', GENERATE_ASYNC_PATH, { token, body: { manual_prompt: 'x' } });
    taskId = String(body.task_id);
  });

  const read = (headers: Record<string, string> = {}, path = statusPath(taskId)) =>
    api().call('GET', path, { token, headers });
  const waits = () =>
    eventually(() => {
      assert.equal(api().generations.subscribers, 1, 'somebody waits');
    });

  it('want their parameters right, also one that the way taken has no use for', async () => {
    const { status, body } = await read({}, `${statusPath(taskId)}?text=perhaps`);
    assert.deepEqual([status, body.code], [400, 'invalid_request']);
  });

  describe('by its tag', () => {
    it('are a 304 without a body while nothing is new, and the status where something is', async () => {
      const { headers } = await read();
      const etag = headers.get('etag') ?? assert.fail('a tag');
      const same = await read({ 'If-None-Match': etag });
      assert.deepEqual([same.status, same.text, same.headers.get('etag')], [304, '', etag]);
      assert.equal((await read({ 'If-None-Match': `"other", W/${etag}` })).status, 304);
      api().generations.advance(taskId, 'generating');
      const next = await read({ 'If-None-Match': etag });
      assert.deepEqual([next.status, next.body.progress], [200, 50]);
      assert.notEqual(next.headers.get('etag'), etag);
    });

    it('are told apart where only the moment of a stale one differs', async () => {
      api().generations.staleAsOf = '2026-01-02T03:04:05.000Z';
      const first = (await read()).headers.get('etag');
      api().generations.staleAsOf = '2026-01-02T03:04:06.000Z';
      assert.notEqual((await read()).headers.get('etag'), first);
    });

    it('are told apart where support had a task end once more', () => {
      const task = queuedSnapshot({ taskId, owner: 'ann', createdAt: '2026-01-02T03:04:05.000Z' });
      const tags = ['2026-01-02T03:04:06.000Z', '2026-01-02T03:05:00.000Z'].map((endedAt) =>
        tagOf({ outcome: 'found', snapshot: failedSnapshot(task, { code: 'internal' }, endedAt) }),
      );
      assert.equal(new Set(tags).size, 2);
    });
  });

  describe('by waiting', () => {
    it('are answered at the next change', async () => {
      const answer = read({ Prefer: 'respond-async, wait=25' });
      await waits();
      api().generations.advance(taskId, 'generating');
      const { status, body, headers } = await answer;
      assert.deepEqual([status, body.progress, headers.get('preference-applied')], [200, 50, 'wait=25']);
      assert.equal(api().generations.subscribers, 0);
    });

    it('are answered at once where the tag is an older one, or the task has ended', async () => {
      const etag = (await read()).headers.get('etag') ?? '';
      api().generations.advance(taskId, 'generating');
      assert.equal((await read({ Prefer: 'wait=25', 'If-None-Match': etag })).body.progress, 50);
      api().generations.complete(taskId);
      assert.equal((await read({ Prefer: 'wait=25' })).body.progress, 100);
    });

    it('are answered as they are when the time is over', async () => {
      const etag = (await read()).headers.get('etag') ?? '';
      assert.equal((await read({ Prefer: 'wait=1' })).body.progress, 0);
      assert.equal((await read({ Prefer: 'wait=1', 'If-None-Match': etag })).status, 304);
    });

    it('are answered when the process is about to stop', async () => {
      const answer = read({ Prefer: 'wait=25' });
      await waits();
      api().leaving.abort();
      assert.equal((await answer).body.progress, 0);
    });

    it('notice what this process was not told of', async () => {
      const answer = read({ Prefer: 'wait=25' });
      await waits();
      api().generations.deaf = true;
      api().generations.advance(taskId, 'generating');
      assert.equal((await answer).body.progress, 50);
    });

    it('go on through a moment in which nothing can be read, and are refused where it lasts', async () => {
      const answer = read({ Prefer: 'wait=25' });
      await waits();
      api().generations.away = true;
      api().generations.advance(taskId, 'generating');
      await eventually(() => {
        assert.ok(api().generations.refused > 0, 'it was read');
      });
      api().generations.away = false;
      assert.equal((await answer).body.progress, 50);
      const lasting = read({ Prefer: 'wait=1' });
      await waits();
      api().generations.away = true;
      assert.equal((await lasting).status, 503);
      assert.equal((await read({ Prefer: 'wait=25' })).status, 503, 'at once');
    });

    it('end where the caller hangs up', async () => {
      const hangUp = new AbortController();
      const answer = fetch(api().url + statusPath(taskId), {
        headers: { Authorization: `Bearer ${token}`, Prefer: 'wait=25' },
        signal: hangUp.signal,
      });
      await waits();
      hangUp.abort();
      await assert.rejects(answer);
      await eventually(() => {
        assert.equal(api().generations.subscribers, 0);
      });
    });
  });

  describe('by events', () => {
    interface Event {
      id: string | undefined;
      event: string | undefined;
      data: Record<string, unknown>;
    }
    const eventsIn = (text: string): Event[] =>
      text.split('\n\n').flatMap((block) => {
        const of = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
        const data = of('data');
        return data === undefined
          ? []
          : [{ id: of('id'), event: of('event'), data: JSON.parse(data) as Record<string, unknown> }];
      });
    /** An open stream, and what it said so far. */
    const open = async (headers: Record<string, string> = {}, path = statusPath(taskId)) => {
      let text = '';
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const sent = request(
          api().url + path,
          { headers: { Authorization: `Bearer ${token}`, ...EVENTS, ...headers } },
          resolve,
        );
        sent.once('error', reject).end();
      });
      const ended = new Promise((resolve) => response.once('close', resolve));
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('error', () => undefined);
      return { response, ended, events: () => eventsIn(text), raw: () => text };
    };

    it('are each new status with the body and the tag of a poll, up to the end', async () => {
      const { events, ended, response } = await open();
      assert.equal(response.headers['content-type'], 'text/event-stream; charset=utf-8');
      assert.equal(response.headers['x-accel-buffering'], 'no');
      assert.equal(response.headers['cache-control'], 'no-store');
      await eventually(() => {
        assert.equal(events().length, 1);
      });
      for (const step of ['initializing', 'generating'] as const) {
        api().generations.advance(taskId, step);
        const polled = await read();
        await eventually(() => {
          const last = events().at(-1);
          assert.deepEqual(
            [last?.event, last?.data, `"${last?.id}"`],
            ['status', polled.body, polled.headers.get('etag')],
          );
        });
      }
      api().generations.complete(taskId);
      await ended;
      const last = events().at(-1);
      assert.deepEqual(last?.data, (await read()).body);
      assert.deepEqual(
        events().map(({ data }) => data.progress),
        [0, 10, 50, 100],
      );
      assert.equal(api().generations.subscribers, 0);
    });

    it('begin after the one that the reader has, and are none for one that has heard the end', async () => {
      const etag = (await read()).headers.get('etag')?.replaceAll('"', '') ?? '';
      const { events } = await open({ 'Last-Event-ID': etag });
      await waits();
      api().generations.complete(taskId);
      await eventually(() => {
        assert.deepEqual(
          events().map(({ data }) => data.progress),
          [100],
        );
      });
      const end = events()[0]?.id ?? '';
      assert.equal((await read({ ...EVENTS, 'Last-Event-ID': end })).status, 204);
    });

    it('have the text of the model where that is asked for, each attempt from its beginning', async () => {
      api().generations.write(taskId, 'You ');
      const [withText, without] = [await open({}, `${statusPath(taskId)}?text=true`), await open()];
      await eventually(() => {
        assert.equal(withText.events().length, 2);
      });
      api().generations.write(taskId, 'are');
      await eventually(() => {
        assert.equal(withText.events().length, 3);
      });
      api().generations.write(taskId, 'Be', 2);
      await eventually(() => {
        assert.deepEqual(
          withText
            .events()
            .filter(({ event }) => event === 'text')
            .map(({ data }) => data),
          [
            { attempt: 1, offset: 0, text: 'You ' },
            { attempt: 1, offset: 4, text: 'are' },
            { attempt: 2, offset: 0, text: 'Be' },
          ],
        );
      });
      assert.deepEqual(
        without.events().map(({ event }) => event),
        ['status'],
      );
      for (const { response } of [withText, without]) response.destroy();
    });

    it('are read by the code in the reference', async () => {
      const section = readFileSync('docs/api.md', 'utf8').split('## Without polling')[1] ?? '';
      const code = /^```js\n([^]*?)^```$/m.exec(section)?.[1] ?? assert.fail('there is no code');
      const shown: unknown[] = [];
      const show = (task: { progress: number }, text: string) => shown.push([task.progress, text]);
      const page = { fetch, TextDecoder, token, show, status_url: api().url + statusPath(taskId) };
      const over = runInNewContext(`(async () => {${code}})()`, page) as Promise<void>;
      const sees = (progress: number, text: string) =>
        eventually(() => {
          assert.deepEqual(shown.at(-1), [progress, text]);
        });
      await sees(0, '');
      api().generations.write(taskId, 'You ');
      await sees(0, 'You ');
      api().generations.write(taskId, 'are');
      await sees(0, 'You are');
      api().generations.write(taskId, 'Be', 2);
      await sees(0, 'Be');
      api().generations.complete(taskId);
      await over;
      await sees(100, 'Be');
    });

    it('come through proxies that hand on nothing before they have two kilobytes', async () => {
      const { raw, response } = await open();
      await eventually(() => {
        assert.ok(raw().indexOf('event: status') >= 2_048, 'the first event stands behind them');
      });
      response.destroy();
    });

    it('cost nothing any more where the reader has gone', async () => {
      const { response } = await open();
      await waits();
      response.destroy();
      await eventually(() => {
        assert.equal(api().generations.subscribers, 0);
      });
      const ofLevel = (level: number) => api().logLines.filter((line) => line.level === level);
      await eventually(() => {
        assert.ok(ofLevel(20).some(({ msg }) => msg === 'a client has gone before its answer was complete'));
      });
      assert.deepEqual(ofLevel(40), [], 'nobody needs to know');
    });

    it('are not kept for a reader that does not read: it gets the newest when it does', async () => {
      const { response, events } = await open({}, `${statusPath(taskId)}?text=true`);
      await waits();
      response.pause();
      const piece = 'x'.repeat(100_000);
      for (let n = 0; n < 100; n += 1) {
        api().generations.write(taskId, piece);
        await new Promise(setImmediate);
      }
      api().generations.complete(taskId);
      response.resume();
      await eventually(() => {
        assert.equal(events().at(-1)?.data.progress, 100);
      });
      const texts = events().filter(({ event }) => event === 'text');
      assert.ok(texts.length < 100, 'pieces that came while it did not read are one');
      assert.equal(texts.map(({ data }) => data.text).join('').length, 100 * piece.length);
    });

    it('end when the process is about to stop, so that the reader comes back elsewhere', async () => {
      const { ended } = await open();
      await waits();
      api().leaving.abort();
      await ended;
    });

    it('end where nobody knows the task any more, so that the reader asks and is told', async () => {
      const { ended, events } = await open();
      await waits();
      api().generations.forget(taskId);
      await ended;
      assert.equal(events().length, 1);
      assert.equal((await read(EVENTS)).status, 404);
    });

    it('are for the cookie of the task as well, and for nobody else', async () => {
      const { headers, body } = await api().call('POST', GENERATE_ASYNC_PATH, { token, body: { manual_prompt: 'y' } });
      const cookie = (headers.get('set-cookie') ?? '').split(';')[0] ?? '';
      const { response } = await open({ Authorization: '', Cookie: cookie }, statusPath(String(body.task_id)));
      assert.equal(response.statusCode, 200);
      response.destroy();
      assert.equal((await open({ Authorization: '' })).response.statusCode, 401);
      const stranger = `Bearer ${await tokenOf('acct-2')}`;
      assert.equal((await read({ ...EVENTS, Authorization: stranger })).status, 404);
      assert.equal((await read(EVENTS, statusPath(randomUUID()))).status, 404);
    });

    it('are no answer to HEAD, nor where JSON is as welcome', async () => {
      const head = await api().call('HEAD', statusPath(taskId), { token, headers: EVENTS });
      assert.match(head.headers.get('content-type') ?? '', /json/);
      assert.equal((await read({ Accept: '*/*' })).body.progress, 0);
      assert.equal((await read({ Accept: 'text/event-stream;q=0.5, application/json' })).body.progress, 0);
    });

    it('are refused where the orchestrator is away, and go on where it goes away later', async () => {
      const { events } = await open();
      await waits();
      api().generations.away = true;
      assert.equal((await read(EVENTS)).status, 503);
      api().generations.away = false;
      api().generations.complete(taskId);
      await eventually(() => {
        assert.equal(events().at(-1)?.data.progress, 100);
      });
    });
  });
});
