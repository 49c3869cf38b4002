import assert from 'node:assert/strict';
import { pino } from 'pino';
import { atStep, queuedSnapshot } from '../../src/contract/snapshot.js';
import { createAnnouncer, type Announcer } from '../../src/feed/announcer.js';
import type { Message } from '../../src/feed/messages.js';
import { eventually } from '../support/eventually.js';
import { gate } from '../support/gate.js';

const quiet = pino({ level: 'silent' });
const AT = '2026-01-02T03:04:05.000Z';
const queued = queuedSnapshot({ taskId: 't', owner: 'ann', createdAt: AT });

describe('A worker that announces', () => {
  let sent: Message[];
  let away: boolean;
  let announcer: Announcer | undefined;
  const publish = (message: Message): Promise<void> => {
    if (away) return Promise.reject(new Error('away'));
    sent.push(message);
    return Promise.resolve();
  };
  const create = async () =>
    (announcer = await createAnnouncer({ feed: { publish }, worker: 'w', modelId: 'm', log: quiet }));
  beforeEach(() => {
    sent = [];
    away = false;
  });
  afterEach(() => announcer?.stop());

  it('is heard of before it does anything, and says at once what it does', async () => {
    const { announce } = await create();
    assert.deepEqual(sent, [{ worker: 'w', modelId: 'm', n: 0, states: [], texts: [] }]);
    announce(queued);
    assert.deepEqual(sent[1], { worker: 'w', modelId: 'm', n: 1, states: [queued], texts: [] });
  });

  it('does not begin where nobody can hear it', async () => {
    away = true;
    announcer = undefined;
    await assert.rejects(createAnnouncer({ feed: { publish }, worker: 'w', modelId: 'm', log: quiet }), /away/);
  });

  it('says the newest of each task when it is heard again, and leaves no gap in its count', async () => {
    const { announce } = await create();
    away = true;
    const initializing = atStep(queued, 'initializing', AT);
    const other = { ...queued, task_id: 'u' };
    announce(queued);
    announce(initializing);
    announce(other);
    announce(atStep(initializing, 'checkingTokens', AT));
    away = false;
    await eventually(() => {
      const newest = new Map(sent.flatMap(({ states }) => states).map(({ task_id, progress }) => [task_id, progress]));
      assert.deepEqual(
        [...newest],
        [
          ['t', 30],
          ['u', 0],
        ],
      );
    });
    assert.deepEqual(
      sent.map(({ n }) => n),
      sent.map((_, index) => index),
    );
  });

  it('sends a heartbeat now and then where it has nothing to say', async () => {
    await create();
    await eventually(() => {
      assert.ok(sent.length >= 3, 'heartbeats');
    });
  });

  it('sends texts together, each long one in pieces that belong together again', async () => {
    const { write } = await create();
    const text = 'مهربان باش. '.repeat(300);
    write({ taskId: 't', attempt: 1, offset: 0, text: text.slice(0, 5) });
    write({ taskId: 't', attempt: 1, offset: 5, text: text.slice(5) });
    await eventually(() => {
      let whole = '';
      for (const piece of sent.flatMap(({ texts }) => texts)) {
        assert.equal(piece.offset, whole.length);
        whole += piece.text;
      }
      assert.equal(whole, text);
    });
  });

  it('says a state before the texts that wait, and texts that follow each other as one', async () => {
    const first = gate();
    const slow = async (message: Message): Promise<void> => {
      sent.push(message);
      if (message.texts.length > 0) await first.opened;
    };
    announcer = await createAnnouncer({ feed: { publish: slow }, worker: 'w', modelId: 'm', log: quiet });
    const { announce, write } = announcer;
    for (let task = 0; task < 20; task += 1)
      for (let n = 0; n < 900; n += 1) write({ taskId: `t${task}`, attempt: 1, offset: n, text: 'x' });
    await eventually(() => {
      assert.ok(sent.some(({ texts }) => texts.length > 0));
    });
    announce(queued);
    first.open();
    await eventually(() => {
      assert.equal(sent.flatMap(({ texts }) => texts).length, 20, 'one of each task');
    });
    const withTexts = sent.filter(({ texts }) => texts.length > 0);
    assert.ok(withTexts.length > 2, 'more than one message');
    assert.deepEqual(sent[sent.indexOf(withTexts[0]!) + 1]?.states, [queued]);
    assert.deepEqual(
      sent.map(({ n }) => n),
      sent.map((_, index) => index),
    );
  });

  it('says what is left to say and goodbye when it stops, also where nobody hears it', async () => {
    const first = await create();
    await first.stop();
    assert.equal(sent.at(-1)?.bye, true);
    const second = await create();
    away = true;
    second.announce(queued);
    await second.stop();
    announcer = undefined;
  });
});
