import { MANUAL_PROMPT_MAX_CHARS } from '../../../src/contract/limits.js';

/** What is wrong with an instruction. */
export type Complaint = 'empty' | 'too_long';

/** As the service counts: Unicode code points, without the white space around them. */
export const lengthOf = (text: string): number => Array.from(text.trim()).length;

/** What is wrong with an instruction; that it is empty only where somebody tried to send it. */
export function complaintOf(text: string, sent: boolean): Complaint | null {
  const length = lengthOf(text);
  if (length > MANUAL_PROMPT_MAX_CHARS) return 'too_long';
  return sent && length === 0 ? 'empty' : null;
}
