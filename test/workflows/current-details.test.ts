import assert from 'node:assert/strict';
import { Context } from '@temporalio/activity';
import { failedSnapshot, queuedSnapshot, endedSnapshot, atStep, type Snapshot } from '../../src/contract/snapshot.js';
import type { Failure } from '../../src/contract/failures.js';
import type { Step } from '../../src/contract/steps.js';
import { currentDetails } from '../../src/workflows/current-details.js';
import { eventually } from '../support/eventually.js';
import { fakeActivities, storedEnd } from '../support/fake-activities.js';
import { useRig } from '../support/rig.js';

const AT = '2026-11-25T10:00:00.000Z';
const QUEUED = queuedSnapshot({ taskId: 'a-task', owner: 'ann', createdAt: AT });
const USAGE = { prompt_tokens: 90, completion_tokens: 60, total_tokens: 150 };

describe('The current details of a generation', () => {
  const at = (step: Step, detail = {}) => currentDetails({ snapshot: atStep(QUEUED, step, AT, detail), step });
  const failed = (failure: Failure) =>
    currentDetails({ snapshot: failedSnapshot(QUEUED, failure, AT), step: 'checkingTokens' });
  const completed = (generatedByAi: boolean) => {
    const end = { status: 'completed', prompt: 'The secret prompt', generatedByAi, model: 'm', usage: USAGE } as const;
    return currentDetails({ snapshot: endedSnapshot(QUEUED, storedEnd(end)), step: 'finalizing' });
  };

  it('say where it is, what it waits for, what comes next and what there is to do', () => {
    assert.equal(
      at('generating', { attempt: 2, next_attempt_at: '2026-11-25T10:00:15.000Z' }),
      [
        '### Step 3 of 4: asking the model',
        "- **Waits for:** the first text of the model's answer, attempt 2 at 2026-11-25T10:00:15.000Z",
        "- **Then:** the tokens are settled and the prompt is stored. Where the model can't be used within 80 s, the owner gets the fallback, free of charge",
        '- **To do:** nothing. It ends by itself, 110 s after its start at the latest. Cancel it, and nothing is charged',
        '- **Owner:** `ann`',
        '- **Task:** `a-task`, started at 2026-11-25T10:00:00.000Z; clients read it at `/api/v1/web-knowledge/generate-prompt-async/status/a-task/`',
        '',
        '\u00a0',
      ].join('\n'),
    );
    assert.match(at('checkingTokens'), /^### Step 2 of 4.*\n- \*\*Waits for:\*\* the database\n/);
  });

  it('say of each end what it cost and what there is to do', () => {
    assert.match(completed(true), /^### Completed: the AI wrote the prompt\n- \*\*Charged:\*\* 150 tokens, for `m`\n/);
    assert.match(completed(false), /^### Completed without the AI.*\n- \*\*Charged:\*\* nothing\n/);
    assert.match(
      failed({ code: 'insufficient_tokens', required: 700, available: 250 }),
      /^### Failed: `insufficient_tokens`\n- \*\*The owner reads:\*\* You need at least 700 tokens. Available: 250\n- .*nothing\n- .*an admin grants some/,
    );
    assert.match(failed({ code: 'internal' }), /\*\*Why:\*\* the last failed activity/);
  });

  it('have no text of the user or the model', () => {
    assert.doesNotMatch(completed(true), /secret prompt/);
  });

  it('show an owner, a business type and a model as the characters that they are, whatever those are', () => {
    const details = currentDetails({
      snapshot: { ...QUEUED, owner: '`](https://x.example) ``\n# no heading' },
      step: 'queued',
      businessType: '[a](https://x.example)',
    });
    assert.match(details, /\*\*Owner:\*\* ``` `\]\(https:\/\/x\.example\) `` # no heading ```, `\[a\]\(https:/);
    assert.equal(details.match(/^#/gm)?.length, 1);
  });

  it("link to the owner's other runs, where these can be listed", () => {
    const snapshot: Snapshot = { ...QUEUED, owner: "o'n(eil)\\l" };
    const details = currentDetails({ snapshot, step: 'queued', listedIn: 'my ns' });
    const [, path = '', query = ''] = /\]\((.*)\?query=(.*)\)\)$/m.exec(details) ?? [];
    assert.equal(path, 'namespaces/my%20ns/workflows');
    assert.doesNotMatch(query, /[()']/);
    assert.equal(decodeURIComponent(query), "PromptOwner='o\\'n(eil)\\\\l'");
  });

  it('are far below the 20 KB that Temporal shows, also with the longest of all names', () => {
    const long = '`é'.repeat(127);
    const snapshot = { ...QUEUED, owner: long };
    const details = currentDetails({ snapshot, step: 'queued', businessType: long, listedIn: 'n'.repeat(255) });
    assert.ok(Buffer.byteLength(details) < 8_000, `${Buffer.byteLength(details)} bytes`);
  });

  describe('in Temporal', () => {
    const rig = useRig();

    it('are in step with the run, and its queries say what they are', async () => {
      await rig.work(fakeActivities({ checkTokens: () => Context.current().cancelled }));
      const handle = await rig.start();
      await eventually(async () => {
        const { currentDetails: details = '' } = await handle.query<{ currentDetails?: string }>(
          '__temporal_workflow_metadata',
        );
        assert.match(details, /^### Step 2 of 4/);
        assert.match(details, /`Shoe store` \(\[all their generations\]\(namespaces\/default\/workflows/);
      });
      await handle.cancel();
      await assert.rejects(handle.result());
    });
  });
});
