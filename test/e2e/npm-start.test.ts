import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hasEnded } from '../../src/dev/processes.js';
import type { Status } from '../support/api-client.js';
import { eventually } from '../support/eventually.js';
import { ownPlace } from '../support/place.js';
import { runProgram, untilReady, type Program } from '../support/program.js';

const NPM_START = 'dist/dev/main.js';

describe('npm start', function () {
  this.timeout(700_000);
  let folder: string;
  let program: Program | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'test-start-'));
  });
  afterEach(async () => {
    await program?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('with nothing set tells where everything is, and its curl lines work when they are pasted', async () => {
    const place = await ownPlace(folder);
    const url = `http://127.0.0.1:${place.PORT}`;
    program = runProgram(NPM_START, place);
    await untilReady(url, program);
    const told = await eventually(() => {
      assert.match(program!.output(), /task_id of the answer:\n\n {2}curl.*\n/);
      return program!.output();
    });
    for (const part of [`${url}/`, `${url}/docs`, /Temporal Web UI +http:\/\/127\.0\.0\.1:\d+/, /demo-model/, folder]) {
      assert.match(told, part instanceof RegExp ? part : new RegExp(part.replaceAll('.', '\\.')));
    }
    const uiUrl = /Temporal Web UI +(\S+)/.exec(told)![1]!;
    assert.match(await (await fetch(uiUrl)).text(), /<html/i);

    const [token, startLine, statusLine] = told.split('\n').filter((line) => /^ {2}(TOKEN=|curl)/.test(line));
    const paste = async (...lines: string[]) =>
      JSON.parse((await promisify(execFile)('bash', ['-c', lines.join('\n')])).stdout) as Status;
    const { task_id } = await paste(token!, startLine!);
    const seen = new Set<number>();
    const end = await eventually(
      async () => {
        const status = await paste(token!, `TASK_ID=${task_id}`, statusLine!);
        seen.add(status.progress);
        assert.equal(status.status, 'completed');
        return status;
      },
      { timeoutMs: 60_000, everyMs: 200 },
    );
    for (const step of [50, 70, 100]) assert.ok(seen.has(step), `${step} was not seen`);
    assert.equal(end.model, 'demo-model');
    assert.match(end.prompt!, /- We sell shoes\.\n- Be friendly\./);
    assert.match(end.prompt!, /Written by the bundled demo model/);
    assert.equal(end.tokens?.available, 100_000 - end.tokens!.charged);

    const temporalPid = Number(await readFile(join(folder, 'temporal.pid'), 'utf8'));
    assert.ok(!(await hasEnded(temporalPid)));
    assert.equal(await program.stop(), 0, program.output());
    assert.ok(await hasEnded(temporalPid), 'the Temporal server has ended');

    program = runProgram(NPM_START, place);
    await untilReady(url, program);
    assert.deepEqual(
      await paste(token!, `TASK_ID=${task_id}`, statusLine!),
      end,
      'the next start finds the task again',
    );
  });

  it('refuses to share a data folder with a running one, and a port that is taken, in one clear line', async () => {
    const place = await ownPlace(folder);
    program = runProgram(NPM_START, place);
    await untilReady(`http://127.0.0.1:${place.PORT}`, program);
    const second = runProgram(NPM_START, { ...(await ownPlace(folder)), PORT: place.PORT });
    assert.equal(await second.exited, 1);
    assert.match(second.output(), new RegExp(`Another service \\(process ${program.pid}\\) uses ${folder}`));
    const elsewhere = runProgram(NPM_START, { ...(await ownPlace(join(folder, 'other'))), PORT: place.PORT });
    assert.equal(await elsewhere.exited, 1);
    assert.match(elsewhere.output(), new RegExp(`PORT: port ${place.PORT} of 127.0.0.1 is taken by another program`));
  });

  it('in production wants to know how tokens are verified, which model to ask, and how payloads are encrypted', async () => {
    const production = runProgram(NPM_START, { ...(await ownPlace(folder)), NODE_ENV: 'production' });
    assert.equal(await production.exited, 1);
    assert.match(
      production.output(),
      /AUTH_JWT_SECRET or AUTH_JWKS_URL[^]*OPENAI_API_KEY[^]*PAYLOAD_ENCRYPTION_KEYS[^]*openssl rand -base64 32/,
    );
  });
});
