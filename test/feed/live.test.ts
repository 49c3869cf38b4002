import assert from 'node:assert/strict';
import { createLive, LOST_AFTER_MS, type Live } from '../../src/feed/live.js';
import { eventually } from '../support/eventually.js';

describe('What the feed is worth', () => {
  let live: Live;
  let counts: Record<string, number>;
  let heartbeats: NodeJS.Timeout[];
  beforeEach(() => {
    counts = {};
    heartbeats = [];
    live = createLive({ state: () => undefined, text: () => undefined, ended: () => undefined });
  });
  afterEach(() => {
    for (const timer of heartbeats) clearInterval(timer);
    live.stop();
  });

  const say = (worker: string, own: { bye?: true; modelId?: string } = {}): void => {
    counts[worker] = (counts[worker] ?? -1) + 1;
    live.message({ worker, n: counts[worker], states: [], texts: [], ...own });
  };
  const keepSaying = (worker: string): NodeJS.Timeout => {
    say(worker);
    const timer = setInterval(() => {
      say(worker);
    }, LOST_AFTER_MS / 10);
    heartbeats.push(timer);
    return timer;
  };
  const healthy = (): number => {
    live.connected();
    keepSaying('one');
    live.watched(true);
    const epoch = live.epoch();
    return epoch ?? assert.fail('healthy');
  };

  it('is nothing before it listens, before Temporal was asked, and without a worker', () => {
    assert.equal(live.epoch(), null);
    live.connected();
    assert.equal(live.epoch(), null);
    live.watched(true);
    assert.equal(live.epoch(), null);
    say('one');
    assert.notEqual(live.epoch(), null);
  });

  it('stays what it is while every worker is heard, and when another one comes or says goodbye', () => {
    const epoch = healthy();
    keepSaying('other');
    say('third');
    say('third', { bye: true });
    assert.equal(live.epoch(), epoch);
    assert.deepEqual(['one', 'third', 'fourth'].map(live.knows), ['alive', 'gone', 'never heard']);
  });

  it('is nothing when the last worker has said goodbye', () => {
    live.connected();
    live.watched(true);
    say('one');
    say('one', { bye: true });
    assert.equal(live.epoch(), null);
    assert.deepEqual(['one', 'never heard'].map(live.isSilent), [true, false], 'Temporal still lists it for a while');
  });

  it('begins anew when a message is missing', () => {
    const epoch = healthy();
    counts.one! += 1;
    say('one');
    assert.notEqual(live.epoch(), epoch);
    assert.notEqual(live.epoch(), null);
  });

  it('begins anew when a worker falls silent, whatever the others say', async () => {
    healthy();
    const timer = keepSaying('other');
    const epoch = live.epoch();
    clearInterval(timer);
    await eventually(() => {
      live.watched(true);
      assert.notEqual(live.epoch(), epoch);
    });
    assert.equal(live.knows('other'), 'lost');
    assert.notEqual(live.epoch(), null, 'the other one is still heard');
  });

  it('is nothing while it is cut off, and begins anew afterwards', () => {
    const epoch = healthy();
    live.disconnected();
    assert.equal(live.epoch(), null);
    live.connected();
    assert.equal(live.epoch(), null, 'no worker was heard yet');
    say('one');
    assert.ok((live.epoch() ?? epoch) !== epoch, 'anew');
  });

  it('tells which model is asked where all workers say the same, and all are heard', () => {
    assert.equal(live.modelId(), undefined);
    live.connected();
    live.watched(true);
    say('one', { modelId: 'm' });
    say('two', { modelId: 'm' });
    assert.equal(live.modelId(), 'm');
    say('three', { modelId: 'new' });
    assert.equal(live.modelId(), undefined, 'another one is rolled out');
    for (const worker of ['one', 'two']) say(worker, { modelId: 'm', bye: true });
    assert.equal(live.modelId(), 'new');
    say('of an older release');
    assert.equal(live.modelId(), undefined);
    say('of an older release', { bye: true });
    live.watched(false);
    assert.equal(live.modelId(), undefined, 'one is at work that nobody hears');
  });

  it('is nothing while a worker is at work that nobody hears of, and begins anew afterwards', () => {
    const epoch = healthy();
    live.watched(false);
    assert.equal(live.epoch(), null);
    live.watched(true);
    assert.ok((live.epoch() ?? epoch) !== epoch, 'anew');
  });
});
