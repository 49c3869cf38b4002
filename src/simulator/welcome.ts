import { GENERATE_ASYNC_PATH } from '../contract/names.js';
import { SCENARIO_HEADER } from './choose-scenario.js';
import { SCENARIOS } from './scenarios.js';

/** What a person who ran `npm run simulate` wants to know. `token`: null where callers bring their own. */
export function welcome({ apiUrl, token }: { apiUrl: string; token: string | null }): string {
  const rows = [
    ['Page', `${apiUrl}/`],
    ['API reference', `${apiUrl}/docs`],
    ['Token', token ?? 'as AUTH_* says; open an account for its owner as an admin (docs/simulator.md)'],
  ] as const;
  const width = Math.max(...SCENARIOS.map(({ name }) => name.length)) + 2;
  return [
    '',
    'The simulator is ready: the same HTTP API, every state on demand, no model. Ctrl-C stops it.',
    '',
    ...rows.map(([name, value]) => `  ${name.padEnd(15)}${value}`),
    '',
    `Write one of these words into the prompt, or send it as the header ${SCENARIO_HEADER}:`,
    '',
    ...SCENARIOS.map(({ name, description }) => `  ${name.padEnd(width)}${description}`),
    '',
    ...(token === null ? [] : tryIt(apiUrl, token)),
  ].join('\n');
}

const tryIt = (apiUrl: string, token: string): string[] => [
  'Such as:',
  '',
  `  TOKEN=${token}`,
  `  curl -s ${apiUrl}${GENERATE_ASYNC_PATH} -H "Authorization: Bearer $TOKEN" -H '${SCENARIO_HEADER}: retrying' -d '{"manual_prompt": "We sell shoes."}' -H 'Content-Type: application/json'`,
  `  curl -s "${apiUrl}${GENERATE_ASYNC_PATH}status/$TASK_ID/" -H "Authorization: Bearer $TOKEN"`,
  '',
];
