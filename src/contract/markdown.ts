/** A value in Markdown, as the characters that it is: no part of it can be read as a link or a heading. */
export function code(value: string): string {
  const longestRun = Math.max(0, ...[...value.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longestRun + 1);
  const space = longestRun > 0 ? ' ' : '';
  return `${fence}${space}${value.replaceAll(/\s+/g, ' ')}${space}${fence}`;
}

/** Ends a text of several lines: the Temporal Web UI shows it in a frame that cuts off the last one. */
export const LAST_LINE = '\n\n\u00a0';
