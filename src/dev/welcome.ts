import { GENERATE_ASYNC_PATH } from '../contract/names.js';

/** What a person who ran `npm start` wants to know. */
export interface SetUp {
  apiUrl: string;
  /** null: not known. */
  temporalUiUrl: string | null;
  model: string;
  demoModel: boolean;
  database: string;
  /** null: callers bring tokens of their own. */
  demoToken: string | null;
}

const STATUS_CURL = `curl -s "$URL$TASK_ID/" -H "Authorization: Bearer $TOKEN"`;

/** The lines that say where everything is, and the ones to paste. */
export function welcome(setUp: SetUp): string {
  const { apiUrl, temporalUiUrl, model, demoModel, database, demoToken } = setUp;
  const rows: [string, string][] = [
    ['Page', `${apiUrl}/`],
    ['API reference', `${apiUrl}/docs`],
    ['Temporal Web UI', temporalUiUrl ?? 'set TEMPORAL_UI_URL to link to it'],
    ['Model', demoModel ? `${model}: it only arranges words. Set OPENAI_API_KEY for a real one` : model],
    ['Database', database],
  ];
  return [
    '',
    'The prompt generation service is ready. Ctrl-C stops it.',
    '',
    ...rows.map(([name, value]) => `  ${name.padEnd(17)}${value}`),
    '',
    ...(demoToken === null ? [] : tryIt(apiUrl, demoToken)),
  ].join('\n');
}

const tryIt = (apiUrl: string, token: string): string[] => [
  'Start a generation:',
  '',
  `  TOKEN=${token}`,
  `  curl -s ${apiUrl}${GENERATE_ASYNC_PATH} -H "Authorization: Bearer $TOKEN" -d '{"manual_prompt": "We sell shoes. Be friendly."}' -H 'Content-Type: application/json'`,
  '',
  'and ask for its status each second, with the task_id of the answer:',
  '',
  `  ${STATUS_CURL.replace('$URL', `${apiUrl}${GENERATE_ASYNC_PATH}status/`)}`,
  '',
];
