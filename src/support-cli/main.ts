#!/usr/bin/env node
import { readSupportCliConfig } from '../config.js';
import { runCli } from './run-cli.js';

/** `npm run support -- …` and the bin `prompt-support`: what support staff do, over the API. */
process.exitCode = await runCli(process.argv.slice(2), {
  settings: () => readSupportCliConfig(),
  out: (text) => void process.stdout.write(`${text}\n`),
  error: (text) => void process.stderr.write(`${text}\n`),
});
