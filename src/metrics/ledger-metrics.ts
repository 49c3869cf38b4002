import { Gauge, type Registry } from 'prom-client';
import type { Ledger, LedgerAudit } from '../ledger/types.js';
import type { Logger } from '../log.js';

/** How old what is told may be, in ms: the audit reads the whole ledger, and Prometheus asks more often. */
const KEPT_MS = 55_000;

/** Each gauge: a part of the audit. */
const GAUGES = {
  ledger_open_holds: ['openHolds', 'Holds that nothing has resolved yet.'],
  ledger_held_tokens: ['heldTokens', 'Tokens of the open holds.'],
  ledger_expired_holds: ['expiredHolds', 'Open holds whose time is over: the reconciler releases them each minute.'],
  ledger_stuck_tasks: ['stuckTasks', 'Tasks without an end that are older than any run may be.'],
  ledger_mismatched_accounts: [
    'mismatchedAccounts',
    'Accounts whose balance is not the sum of their entries, or whose held is not that of their open holds.',
  ],
} as const satisfies Record<string, [keyof LedgerAudit, string]>;

/**
 * What the ledger's audit found, asked for when Prometheus asks. Every worker tells the same: look at the maximum. Where the
 * database is away the last values stay, and `ledger_audit_timestamp_seconds` says how old they are.
 */
export function addLedgerMetrics(registry: Registry, ledger: Pick<Ledger, 'audit'>, log: Logger): void {
  let asked: { at: number; audit: Promise<LedgerAudit | null> } | undefined;
  const audit = (): Promise<LedgerAudit | null> => {
    if (asked && performance.now() - asked.at < KEPT_MS) return asked.audit;
    asked = { at: performance.now(), audit: askOnce() };
    return asked.audit;
  };
  const askOnce = async (): Promise<LedgerAudit | null> => {
    try {
      const found = await ledger.audit();
      timestamp.setToCurrentTime();
      return found;
    } catch (error) {
      log.warn({ err: error }, 'the ledger could not be audited');
      return null;
    }
  };
  const timestamp = new Gauge({
    name: 'ledger_audit_timestamp_seconds',
    help: 'When the ledger was audited last.',
    registers: [registry],
    collect: async () => {
      await audit();
    },
  });
  for (const [name, [part, help]] of Object.entries(GAUGES)) {
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const found = await audit();
        if (found) this.set(found[part]);
      },
    });
  }
}
