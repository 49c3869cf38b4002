import { ApiError } from '../api/api-error.js';
import { SCENARIOS, type Scenario } from './scenarios.js';

/** Names a scenario, whatever the prompt says. */
export const SCENARIO_HEADER = 'X-Scenario';

const BY_NAME = new Map(SCENARIOS.map((scenario) => [scenario.name, scenario]));

/**
 * The scenario that the header names, else the first word of the prompt that names one, else the normal one.
 * Throws `invalid_request` for a header that names none.
 */
export function chooseScenario(manualPrompt: string, header = ''): Scenario {
  const named = header.trim().toLowerCase();
  if (named !== '') return BY_NAME.get(named) ?? unknown();
  // The names are made of these characters, so that none is found inside of another word.
  for (const word of manualPrompt.toLowerCase().split(/[^\p{L}\p{M}\p{N}_]+/u)) {
    const scenario = BY_NAME.get(word);
    if (scenario) return scenario;
  }
  return BY_NAME.get('normal') ?? unknown();
}

function unknown(): never {
  const names = [...BY_NAME.keys()].join(', ');
  throw new ApiError('invalid_request', {
    detail: `${SCENARIO_HEADER}: there is no such scenario, but these: ${names}`,
  });
}
