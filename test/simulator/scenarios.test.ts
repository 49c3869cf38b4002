import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { FAILURE_CODES } from '../../src/contract/failures.js';
import { WORKFLOW_TIMEOUT_MS } from '../../src/contract/limits.js';
import { STEPS } from '../../src/contract/steps.js';
import { SCENARIOS, type Course } from '../../src/simulator/scenarios.js';
import { welcome } from '../../src/simulator/welcome.js';

const courses = SCENARIOS.flatMap((scenario) =>
  'course' in scenario ? [{ name: scenario.name, course: scenario.course }] : [],
);
const courseOf = (wanted: string): Course => courses.find(({ name }) => name === wanted)!.course;

describe('The scenarios', () => {
  it('have a name each, of characters that one word may have', () => {
    const names = SCENARIOS.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.match(name, /^[a-z0-9_]+$/);
  });

  it('are all told with their description, by the words at the start and by docs/simulator.md, and no others', () => {
    const docs = readFileSync('docs/simulator.md', 'utf8');
    const rows = [...docs.matchAll(/^\| `(\w+)`\s+\| (.*?)\s+\|$/gm)].map(([, name, text]) => [name, text]);
    assert.deepEqual(
      rows,
      SCENARIOS.map(({ name, description }) => [name, description]),
    );
    const said = welcome({ apiUrl: 'http://127.0.0.1:3000', token: 'the-token' });
    for (const { name, description } of SCENARIOS) assert.match(said, new RegExp(`^ {2}${name} +`, 'm'), description);
    for (const { description } of SCENARIOS) assert.ok(said.includes(description));
    assert.match(said, /Token +the-token$/m);
  });

  it("are named by the guide's list of what to try, in words that choose them", () => {
    const guide = readFileSync('docs/ASYNC_PROMPT_GENERATION_GUIDE.md', 'utf8');
    const list = /## Before you ship\n([^]*?)\n## /.exec(guide)![1]!;
    const words = [...list.matchAll(/\((`[^)]*)\)/g)].flatMap(([, inside]) => inside!.match(/(?<=`)\w+(?=`)/g) ?? []);
    assert.ok(words.length > 10);
    for (const word of words)
      assert.ok(
        SCENARIOS.some(({ name }) => name === word),
        word,
      );
  });

  it('end every task in time, in order, and never lead back', () => {
    for (const { name, course } of courses) {
      const times = [0, ...course.moments.map(({ atMs }) => atMs), course.endsAtMs];
      assert.deepEqual(
        times,
        [...times].sort((a, b) => a - b),
        name,
      );
      assert.ok(course.endsAtMs < WORKFLOW_TIMEOUT_MS, name);
      const progress = course.moments.flatMap(({ step }) => (step ? [STEPS[step].progress] : []));
      assert.deepEqual(
        progress,
        [...progress].sort((a, b) => a - b),
        name,
      );
      const reach = course.moments.flatMap((moment) => moment.reach ?? []);
      assert.equal(reach.at(-1) ?? 'answered', 'answered', `${name}: its end can be read`);
    }
  });

  it('hold tokens before the AI is asked and whenever something is to be charged', () => {
    for (const { name, course } of courses) {
      const steps = course.moments.flatMap(({ step }) => step ?? []);
      if (course.ending === 'prompt') assert.ok(steps.includes('checkingTokens') && steps.includes('generating'), name);
      assert.ok(!steps.includes('generating') || steps.includes('checkingTokens'), name);
    }
  });

  it('show each failure of the contract, but the one that a cancellation brings', () => {
    const endings = courses.map(({ course }) => course.ending);
    for (const code of FAILURE_CODES) if (code !== 'cancelled') assert.ok(endings.includes(code), code);
  });

  it('show every step to a client that polls once a second', () => {
    const { moments, endsAtMs } = courseOf('normal');
    assert.deepEqual(
      moments.map(({ step }) => step),
      Object.keys(STEPS).filter((step) => step !== 'queued'),
    );
    const times = [0, ...moments.map(({ atMs }) => atMs), endsAtMs];
    times.slice(1).forEach((atMs, n) => {
      assert.ok(atMs - times[n]! > 1_000);
    });
  });
});
