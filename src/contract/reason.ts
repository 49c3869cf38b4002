/** Failures whose messages are ours: short, and without any text of a user, host or secret. */
const OURS: ReadonlySet<string> = new Set(['LlmUnavailable', 'LlmRefused', 'TaskErased', 'GenerationFailed']);

/** Long enough for every message of ours. */
const MAX_CHARS = 300;

/** What is read of an error, as Temporal's SDK makes them in workflows and clients alike. */
interface Fault {
  name: string;
  message: string;
  cause?: unknown;
  /** Of an activity that failed. */
  activityType?: string;
  /** Of an `ApplicationFailure`. */
  type?: string | null;
  /** Of a timeout. */
  timeoutType?: string;
}

/**
 * Why a step or a run failed, in words for support, such as "generateWithAI: The model answered 401 (invalid_api_key)". Of
 * an error that is not ours only its type is told: its message may have anything.
 */
export function reasonOf(error: unknown): string {
  const fault = error instanceof Error ? (error as Fault) : null;
  const reason =
    fault?.activityType === undefined ? wordsOf(error) : `${fault.activityType}: ${wordsOf(fault.cause ?? fault)}`;
  return reason.slice(0, MAX_CHARS);
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown error';
  const { name, message, type, timeoutType, cause } = error as Fault;
  if (timeoutType !== undefined) {
    const last = cause instanceof Error ? `, its last attempt: ${wordsOf(cause)}` : '';
    return `timed out (${timeoutType})${last}`;
  }
  if (type !== undefined && type !== null)
    return OURS.has(type) ? message : `${type}, of which only operators see more`;
  if (name === 'CancelledFailure') return 'cancelled';
  return `${name}, of which only operators see more`;
}
