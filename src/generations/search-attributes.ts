import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.js';
import type { Logger } from '../log.js';
import { DEADLINE_MS, within } from './deps.js';
import { isRefused } from './temporal-outage.js';

const { IndexedValueType } = proto.temporal.api.enums.v1;
const TYPES = {
  KEYWORD: { id: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD, name: 'Keyword', value: "''" },
  BOOL: { id: IndexedValueType.INDEXED_VALUE_TYPE_BOOL, name: 'Bool', value: 'true' },
  INT: { id: IndexedValueType.INDEXED_VALUE_TYPE_INT, name: 'Int', value: '0' },
};
const ALL = Object.values(SEARCH_ATTRIBUTES).map(({ name, type }) => ({ name, type: TYPES[type] }));

/** Finds nothing; refused where one of them is unknown. So it takes no more rights than to list runs. */
const PROBE = ALL.map(({ name, type }) => `${name} = ${type.value}`).join(' AND ');

/** Whether the client's namespace has them all, of whatever type. Throws where it can't be asked. */
export async function areRegistered(client: Client): Promise<boolean> {
  const { namespace } = client.options;
  try {
    await within(client, DEADLINE_MS.read, () =>
      client.workflowService.countWorkflowExecutions({ namespace, query: PROBE }),
    );
    return true;
  } catch (error) {
    if (isRefused(error)) return false;
    throw error;
  }
}

/**
 * Registers our search attributes with the client's namespace, unless it has them. Never throws: where that can't be done,
 * it says by which command somebody else does, and runs start without them until then.
 */
export async function registerSearchAttributes(client: Client, log: Logger): Promise<void> {
  const { namespace } = client.options;
  try {
    if (await areRegistered(client)) return;
    const searchAttributes = Object.fromEntries(ALL.map(({ name, type }) => [name, type.id]));
    await within(client, DEADLINE_MS.list, () =>
      client.connection.operatorService.addSearchAttributes({ namespace, searchAttributes }),
    );
    log.info({ namespace }, 'the search attributes are registered');
  } catch (error) {
    const command = commandFor(namespace);
    log.warn({ err: error, command }, 'the search attributes could not be registered');
  }
}

/** For Temporal Cloud it is `tcld namespace search-attributes add`, with the same names and types. */
export const commandFor = (namespace: string): string =>
  ['temporal operator search-attribute create', `--namespace ${namespace}`]
    .concat(ALL.map(({ name, type }) => `--name ${name} --type ${type.name}`))
    .join(' ');
