import { pino, stdSerializers, type Logger } from 'pino';
import { PinoPretty as pretty } from 'pino-pretty';
import { traceIds } from './tracing/trace-ids.js';

export type { Logger } from 'pino';

/**
 * The service's log: JSON lines, or readable ones on a terminal. MUST never be given a prompt, a token or a key; the
 * paths below are the last line of defence.
 */
export function createLog(options: { level: string; readable: boolean }): Logger {
  const redact = { paths: ['*.authorization', '*.cookie', '*.apiKey', '*.secret', '*.manualPrompt', '*.prompt'] };
  const settings = { level: options.level, redact, base: null, mixin: traceIds, serializers };
  return options.readable
    ? pino(settings, pretty({ colorize: process.stdout.isTTY, ignore: 'pid,hostname', translateTime: 'HH:MM:ss' }))
    : pino(settings);
}

/**
 * How Temporal's SDK and workflows name what they caught. Theirs hold the encoded payloads of all that went wrong before,
 * which nobody can read here: only what it was, in words, with its causes.
 */
function whatWasCaught(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { type, message, stack } = stdSerializers.err(error);
  return { type, message, stack };
}

/** For what is logged under these names; pino has one for `err`. */
export const serializers = { error: whatWasCaught, cause: whatWasCaught };
