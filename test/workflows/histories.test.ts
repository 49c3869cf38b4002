import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { SILENT_FEED } from '../support/silent-feed.js';
import { installTestRuntime, tracedWorkflowBundle, workflowBundle } from '../support/temporal.js';

const FOLDER = 'test/histories';

describe('Histories that released code made', () => {
  before(installTestRuntime);

  it('replay with the code of today, every one, traced or not', async function () {
    this.timeout(120_000);
    const files = (await readdir(FOLDER, { recursive: true })).filter((file) => file.endsWith('.json'));
    assert.ok(files.length >= 10, `only ${files.length} in ${FOLDER}`);
    for (const file of files) {
      const history: unknown = JSON.parse(await readFile(join(FOLDER, file), 'utf8'));
      for (const bundle of [workflowBundle, tracedWorkflowBundle])
        await Worker.runReplayHistory({ workflowBundle: await bundle(), sinks: SILENT_FEED }, history, file);
    }
  });

  it('are found out where the code no longer fits', async () => {
    const file = 'test/histories/0.1.0/gives-up-on-a-model-that-stays-away-after-five-attempts.json';
    const changed = (await readFile(file, 'utf8')).replaceAll('"checkTokens"', '"checkCredits"');
    await assert.rejects(
      Worker.runReplayHistory(
        { workflowBundle: await workflowBundle(), sinks: SILENT_FEED },
        JSON.parse(changed) as object,
        'changed',
      ),
      { name: 'DeterminismViolationError' },
    );
  });
});
