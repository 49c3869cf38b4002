import assert from 'node:assert/strict';
import { createWithAttributes } from '../../src/generations/with-attributes.js';
import { quiet } from './support.js';

const ATTRIBUTES = { owner: 'ann' };
/** gRPC's INVALID_ARGUMENT. */
const refused = () => Object.assign(new Error('refused'), { code: 3, details: 'refused', metadata: {} });

describe('A start with search attributes that is refused', () => {
  /** What each start was given. */
  let given: object[];
  let withAttributes: ReturnType<typeof createWithAttributes>;

  beforeEach(() => {
    given = [];
    withAttributes = createWithAttributes(quiet);
  });

  const start = (isRefused: (attributes: object) => boolean) =>
    withAttributes('task', ATTRIBUTES, (attributes) => {
      given.push(attributes);
      return isRefused(attributes) ? Promise.reject(refused()) : Promise.resolve();
    });

  it('starts without them, as do those that follow', async () => {
    await start((attributes) => 'owner' in attributes);
    await start(() => false);
    assert.deepEqual(given, [ATTRIBUTES, {}, {}]);
  });

  it('takes them from nobody else where it was refused for something of its own', async () => {
    await assert.rejects(
      start(() => true),
      /refused/,
    );
    await start(() => false);
    assert.deepEqual(given, [ATTRIBUTES, {}, ATTRIBUTES]);
  });
});
