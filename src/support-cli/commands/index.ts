import type { Command } from '../command.js';
import { accounts } from './accounts.js';
import { cancel } from './cancel.js';
import { doctor } from './doctor.js';
import { erase } from './erase.js';
import { find } from './find.js';
import { grant } from './grant.js';
import { history } from './history.js';
import { replay } from './replay.js';
import { retry } from './retry.js';
import { show } from './show.js';

/** In the order of the help. */
export const COMMANDS: readonly Command[] = [
  find,
  show,
  retry,
  cancel,
  accounts,
  grant,
  erase,
  history,
  replay,
  doctor,
];
