import { openTable, printTable } from './table.js';

export const mochaGlobalSetup = openTable;
export const mochaGlobalTeardown = printTable;
