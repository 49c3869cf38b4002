import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { ERROR_CODES, ERRORS } from '../../src/api/errors.js';
import { errorsOf } from '../../src/api/route.js';
import { renderDocs } from '../../src/api/service/docs.js';
import { FAILURE_CODES, wordsFor, type Failure } from '../../src/contract/failures.js';
import { STEPS } from '../../src/contract/steps.js';
import { useTestApi } from './support/test-api.js';

interface Media {
  schema: object;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}
interface Operation {
  operationId: string;
  parameters: { name: string; required: boolean; schema: object; example: unknown }[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { content?: Record<string, Media> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}

const docs = readFileSync('docs/api.md', 'utf8');

describe('the OpenAPI document', () => {
  const api = useTestApi();
  let document: Document;
  let operations: Operation[];

  beforeEach(async () => {
    document = (await api().call('GET', '/openapi.json')).body as unknown as Document;
    operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  });

  it('is a valid one of version 3.1', async () => {
    assert.equal(document.openapi, '3.1.0');
    const { valid, errors } = await new Validator().validate({ ...document });
    assert.deepEqual([valid, errors], [true, undefined]);
  });

  it('shows examples that its own schemas accept, at every request, answer and parameter', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats.default(ajv);
    ajv.addSchema({ $id: 'doc', components: document.components });
    const asserted = (schema: object, value: unknown, where: string) => {
      const local = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"doc#/')) as object;
      assert.ok(ajv.validate(local, value), `${where}: ${ajv.errorsText()} in ${JSON.stringify(value)}`);
    };
    let checked = 0;
    for (const { operationId, parameters, requestBody, responses } of operations) {
      for (const { name, schema, example } of parameters) asserted(schema, example, `${operationId} ${name}`);
      const bodies = [requestBody, ...Object.values(responses)].flatMap((body) => Object.values(body?.content ?? {}));
      for (const { schema, example, examples = {} } of bodies) {
        const values = [
          ...(example === undefined ? [] : [example]),
          ...Object.values(examples).map(({ value }) => value),
        ];
        for (const value of values) asserted(schema, value, operationId);
        checked += values.length;
      }
    }
    assert.ok(checked > 60, `only ${checked} examples`);
  });

  it('names each error code of the service, and each operation once', () => {
    // These two are of addresses that no route has.
    const named = new Set([...api().routes.flatMap(errorsOf), 'not_found', 'method_not_allowed']);
    assert.deepEqual(named, new Set(ERROR_CODES));
    const ids = operations.map(({ operationId }) => operationId);
    assert.equal(new Set(ids).size, ids.length);
  });
});

describe('the reference, docs/api.md', () => {
  it('lists exactly the error codes of the service, with their status', () => {
    const rows = [...docs.matchAll(/^\| <a id="error-(\w+)"><\/a>`(\w+)`\s+\| (\d+)/gm)].map(
      ([, anchor, code, status]) => ({
        anchor,
        code,
        status: Number(status),
      }),
    );
    assert.deepEqual(rows.map(({ code }) => code).sort(), [...ERROR_CODES].sort());
    for (const { anchor, code, status } of rows) {
      assert.equal(anchor, code);
      assert.equal(status, ERRORS[code as keyof typeof ERRORS].status, code);
    }
  });

  it('tells every failure in the words of the contract', () => {
    const amounts: Record<string, object> = {
      insufficient_tokens: { required: 700, available: 250 },
      no_tokens_remaining: { required: 700, available: 0 },
    };
    for (const code of FAILURE_CODES) {
      const { message, error, action } = wordsFor({ code, ...amounts[code] } as Failure);
      const row = new RegExp(`\\| \`${code}\`\\s+\\| \`${action}\`\\s+\\| (.*?)\\s+\\| (.*?)\\s+\\|`).exec(docs);
      assert.deepEqual([row?.[1], row?.[2]], [message, error], code);
    }
  });

  it('tells every step in the words of the contract', () => {
    for (const { progress, status, message } of Object.values(STEPS)) {
      const row = new RegExp(`\\| ${progress}\\s+\\| \`${status}\`\\s+\\| (.*?)\\s+\\|`).exec(docs);
      assert.equal(row?.[1], message);
    }
  });

  it('links only to what there is, as its companions do', () => {
    const files = ['docs/api.md', 'docs/ASYNC_PROMPT_GENERATION_GUIDE.md', 'docs/simulator.md'];
    const render = (file: string) => renderDocs(readFileSync(file, 'utf8'), { template: '{{content}}', title: '' });
    const pages = new Map(files.map((file) => [file, render(file)]));
    for (const file of files) {
      for (const [, target, anchor] of readFileSync(file, 'utf8').matchAll(/\]\((\w+\.md)?(?:#([\w-]+))?\)/g)) {
        const page = pages.get(target === undefined ? file : `docs/${target}`);
        assert.ok(page, `${file} links to ${target ?? ''}, which is not served`);
        if (anchor) assert.ok(page.includes(`id="${anchor}"`), `${file} links to ${anchor}`);
      }
    }
  });

  it('names every route', () => {
    // As a reader sees them: with their parameters' names.
    const api = readFileSync('docs/api.md', 'utf8');
    for (const path of [
      '/api/v1/web-knowledge/generate-prompt-async/',
      '/api/v1/web-knowledge/generate-prompt-async/status/{task_id}/',
      '/api/v1/web-knowledge/generate-prompt-async/status/{task_id}/cancel/',
      '/api/v1/web-knowledge/generations/',
      '/api/v1/web-knowledge/generate-prompt/',
      '/api/v1/account/',
      '/api/v1/admin/accounts/{owner}/',
      '/api/v1/admin/accounts/{owner}/grants/',
      '/api/v1/admin/accounts/{owner}/ledger/',
      '/api/v1/admin/prompt-templates/{business_type}/',
      '/api/v1/admin/owners/{owner}/data/',
      '/api/v1/admin/actions/',
      '/api/v1/support/tasks/',
      '/api/v1/support/tasks/{task_id}/',
      '/api/v1/support/tasks/{task_id}/reveal/',
      '/api/v1/support/tasks/{task_id}/cancel/',
      '/api/v1/support/tasks/{task_id}/retry/',
      '/api/v1/support/tasks/{task_id}/history/',
      '/api/v1/support/doctor/',
      '/codec/decode',
      '/codec/encode',
    ]) {
      assert.ok(api.includes(path), path);
    }
  });
});
