import assert from 'node:assert/strict';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { LedgerAudit } from '../../src/ledger/types.js';
import { addLedgerMetrics } from '../../src/metrics/ledger-metrics.js';

const FOUND: LedgerAudit = { openHolds: 3, heldTokens: 2_100, expiredHolds: 1, stuckTasks: 2, mismatchedAccounts: 0 };

describe('The ledger in the metrics', () => {
  let logged = '';
  const log = pino({ level: 'debug' }, { write: (line: string) => (logged += line) });
  beforeEach(() => (logged = ''));

  const open = (audit: () => Promise<LedgerAudit>) => {
    const registry = new Registry();
    addLedgerMetrics(registry, { audit }, log);
    return registry;
  };

  it('is what its audit says, asked for once however often Prometheus asks', async () => {
    let asked = 0;
    const registry = open(() => {
      asked += 1;
      return Promise.resolve(FOUND);
    });
    const [text] = await Promise.all([registry.metrics(), registry.metrics()]);
    await registry.metrics();
    assert.equal(asked, 1);
    for (const line of [
      'ledger_open_holds 3',
      'ledger_held_tokens 2100',
      'ledger_expired_holds 1',
      'ledger_stuck_tasks 2',
      'ledger_mismatched_accounts 0',
    ])
      assert.ok(text.split('\n').includes(line), `${line} is not in\n${text}`);
    const [, at] = /^ledger_audit_timestamp_seconds (\S+)$/m.exec(text) ?? [];
    assert.ok(Number(at) > 1_700_000_000, text);
  });

  it('says by its timestamp that it could not be asked, and the log why', async () => {
    const text = await open(() => Promise.reject(new Error('connect ECONNREFUSED'))).metrics();
    assert.match(text, /^ledger_audit_timestamp_seconds 0$/m);
    assert.match(logged, /the ledger could not be audited/);
    assert.match(logged, /ECONNREFUSED/);
  });
});
