import { parseArgs } from 'node:util';
import { measureGrowth } from './measure-growth.js';
import { measureGenerations } from './measure-generations.js';
import { measurePlain } from './measure-plain.js';
import { measurePolls } from './measure-polls.js';
import { measureStreams } from './measure-streams.js';
import { measureWaiting } from './measure-waiting.js';
import { printTable } from './report.js';
import { Subject } from './subject.js';

/**
 * `npm run bench -- [plain|generations|polls|waiting|streams|growth ...]`: how fast the service is, everything on this machine: API and
 * worker in one process, Temporal, the embedded database, a stub of the model, and what measures. JSON lines and a table.
 */
const MEASURES = {
  plain: measurePlain,
  generations: measureGenerations,
  polls: measurePolls,
  waiting: measureWaiting,
  streams: measureStreams,
  growth: measureGrowth,
};
type Measure = keyof typeof MEASURES;
const isMeasure = (name: string): name is Measure => name in MEASURES;

const { positionals } = parseArgs({ allowPositionals: true });
const unknown = positionals.find((name) => !isMeasure(name));
if (unknown !== undefined) throw new Error(`There is no ${unknown}, only ${Object.keys(MEASURES).join(', ')}`);
const wanted = positionals.length > 0 ? positionals.filter(isMeasure) : (Object.keys(MEASURES) as Measure[]);

for (const name of wanted) {
  // A service of its own for each: what one leaves behind does not slow the next one.
  const subject = await Subject.start();
  try {
    await MEASURES[name](subject);
  } finally {
    await subject.stop();
  }
}
printTable();
