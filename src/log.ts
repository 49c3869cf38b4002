import { pino, type Logger } from 'pino';
import { PinoPretty as pretty } from 'pino-pretty';
import { traceIds } from './tracing/trace-ids.js';

export type { Logger } from 'pino';

/**
 * The service's log: JSON lines, or readable ones on a terminal. MUST never be given a prompt, a token or a key; the
 * paths below are the last line of defence.
 */
export function createLog(options: { level: string; readable: boolean }): Logger {
  const redact = { paths: ['*.authorization', '*.cookie', '*.apiKey', '*.secret', '*.manualPrompt', '*.prompt'] };
  const settings = { level: options.level, redact, base: null, mixin: traceIds };
  return options.readable
    ? pino(settings, pretty({ colorize: process.stdout.isTTY, ignore: 'pid,hostname', translateTime: 'HH:MM:ss' }))
    : pino(settings);
}
