import assert from 'node:assert/strict';
import fc from 'fast-check';
import { queuedSnapshot } from '../../src/contract/snapshot.js';
import { pack } from '../../src/feed/messages.js';

const AT = '2026-01-02T03:04:05.000Z';

describe('What a worker says', () => {
  it('is all there, in its order, in messages that a notification can carry', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary', maxLength: 255 }), { maxLength: 60 }),
        fc.array(fc.string({ unit: 'binary', maxLength: 1_000 }), { maxLength: 60 }),
        (owners, written) => {
          const states = owners.map((owner, n) => queuedSnapshot({ taskId: `task ${n}`, owner, createdAt: AT }));
          const texts = written.map((text, n) => ({ taskId: `task ${n}`, attempt: 1, offset: 0, text }));
          const messages = pack({ worker: 'w', states, texts });
          assert.deepEqual(
            messages.flatMap((message) => message.states),
            states,
          );
          assert.deepEqual(
            messages.flatMap((message) => message.texts),
            texts,
          );
          for (const message of messages)
            assert.ok(
              Buffer.byteLength(JSON.stringify({ ...message, n: 1e9, modelId: 'x'.repeat(100) })) < 8_000,
              'it fits',
            );
        },
      ),
    );
  });

  it('is a heartbeat where there is nothing to say', () => {
    assert.deepEqual(pack({ worker: 'w', states: [], texts: [] }), [{ worker: 'w', states: [], texts: [] }]);
  });

  it('is refused where no message could carry it', () => {
    const texts = [{ taskId: 't', attempt: 1, offset: 0, text: 'x'.repeat(8_000) }];
    assert.throws(() => pack({ worker: 'w', states: [], texts }), RangeError);
  });
});
