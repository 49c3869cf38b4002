import type { Context } from 'mocha';
import { openTable, printTable } from './table.js';
import { World } from './world.js';

export const mochaGlobalSetup = openTable;
export const mochaGlobalTeardown = printTable;

export const mochaHooks = {
  /** Of a run elsewhere there is nothing else to find out from what went wrong. */
  afterEach(this: Context): void {
    if (this.currentTest?.state !== 'failed') return;
    const { title } = this.currentTest;
    for (const world of World.all)
      process.stderr.write([`Warned of until "${title}" failed:`, ...world.warnings()].join('\n  ') + '\n');
  },
};
