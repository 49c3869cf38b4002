import assert from 'node:assert/strict';
import { detailsFor, summaryFor } from '../../src/generations/start-texts.js';

describe('What a run says of itself from its start', () => {
  it('names its owner, and never more than the 200 bytes that the Web UI shows', () => {
    assert.equal(summaryFor('ann'), 'Generate a system prompt for ann');
    for (const character of ['a', 'é', '漢', '😀']) {
      const summary = summaryFor(character.repeat(Math.floor(255 / character.length)));
      assert.ok(Buffer.byteLength(summary) <= 200 && Buffer.byteLength(summary) > 195, summary);
      assert.match(summary, new RegExp(`^Generate a system prompt for ${character}+…$`, 'u'));
    }
  });

  it('says what its id was made from, and under which name its request is logged', () => {
    const byKey = detailsFor({ keyed: true, requestId: 'r-1' });
    assert.match(byKey, /^The workflow id is the task's id: a hash of the owner and their `Idempotency-Key`/);
    assert.match(byKey, /`request_id` r-1\.\n/);
    assert.match(
      detailsFor({ keyed: false, requestId: 'r' }),
      /^The workflow id is the task's id, as clients know it\./,
    );
  });
});
