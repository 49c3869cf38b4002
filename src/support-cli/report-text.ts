import { facts, harmless, table } from './table.js';
import type { TaskReport } from './tasks.js';

/** A task for the person on the phone: first what happened, then the facts. */
export function reportText(report: TaskReport): string {
  const { task, run, holds, actions } = report;
  return [
    ...report.summary.map(harmless),
    '',
    facts([
      ['task', report.task_id],
      ['owner', harmless(report.owner)],
      ['state', `${report.state}, ${report.progress} %${report.as_of === undefined ? '' : ` (as of ${report.as_of})`}`],
      ['created', task?.created_at ?? run?.started_at ?? ''],
      ['ended', task?.ended_at ?? ''],
      ['tokens', `${task?.tokens.charged ?? 0} charged, ${task?.tokens.held ?? 0} held`],
      ['account', accountOf(report)],
      ['Temporal', report.temporal_url ?? temporalWords(report.temporal)],
    ]),
    ...section('TIMELINE', run?.timeline ?? [], timelineOf),
    ...section('HOLDS', holds, holdsOf),
    ...section('ACTIONS', actions, actionsOf),
  ].join('\n');
}

const section = <T>(title: string, rows: readonly T[], text: (rows: readonly T[]) => string): string[] =>
  rows.length === 0 ? [] : ['', title, text(rows)];

function accountOf({ account }: TaskReport): string {
  if (!account) return 'none';
  const { subscription, tokens } = account;
  const until = subscription.expires_at === null ? '' : ` until ${subscription.expires_at}`;
  return `${subscription.status}${until}, ${tokens.available} tokens available`;
}

function temporalWords(temporal: TaskReport['temporal']): string {
  switch (temporal) {
    case 'known':
      return 'knows it; TEMPORAL_UI_URL of the API would link to it';
    case 'forgotten':
      return 'keeps it no longer';
    case 'unavailable':
      return 'does not answer now';
  }
}

type Rows<Key extends 'holds' | 'actions'> = readonly TaskReport[Key][number][];
type Timeline = readonly NonNullable<TaskReport['run']>['timeline'][number][];

const timelineOf = (events: Timeline): string =>
  table(
    ['at', 'event', 'step', 'attempt', 'why'],
    events.map(({ at, event, step = '', attempt, why = '' }) => [
      at,
      event,
      step,
      attempt === undefined ? '' : String(attempt),
      harmless(why),
    ]),
  );

const holdsOf = (holds: Rows<'holds'>): string =>
  table(
    ['at', 'tokens', 'state', 'charged'],
    holds.map(({ created_at, tokens, state, charged }) => [created_at, String(tokens), state, String(charged)]),
  );

const actionsOf = (actions: Rows<'actions'>): string =>
  table(
    ['at', 'by', 'action', 'reason'],
    actions.map(({ at, actor, action, details }) => [
      at,
      harmless(actor),
      action,
      harmless(typeof details.reason === 'string' ? details.reason : ''),
    ]),
  );
