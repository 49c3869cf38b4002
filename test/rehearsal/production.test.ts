import assert from 'node:assert/strict';
import { testGenerations } from '../e2e/generations.js';
import { testTwoOfEach } from '../e2e/two-of-each.js';
import { startTopology, type Topology } from './support/topology.js';

let topology: Topology;

testTwoOfEach(
  'The topology of production',
  async (modelSettings) => {
    topology = await startTopology();
    const { client, databaseUrl, database } = topology;
    return {
      run: (program, more) => topology.run(program, { ...modelSettings, ...more }),
      client,
      taskQueue: topology.settingsOf('worker').TEMPORAL_TASK_QUEUE!,
      databaseUrl,
      postgres: database,
      stop: () => topology.stop(),
    };
  },
  ({ api, model }) => {
    testGenerations(api, model);

    it('tells of a worker that it is healthy while Temporal sees it poll, and only then', async () => {
      const polls = topology.checkWorker();
      assert.equal(await polls.exited, 0, polls.output());
      const idle = topology.checkWorker({ TEMPORAL_TASK_QUEUE: 'nobody polls this' });
      assert.equal(await idle.exited, 1);
      assert.match(idle.output(), /no worker of this host polls/);
      const away = topology.checkWorker({ TEMPORAL_ADDRESS: '127.0.0.1:1' });
      assert.equal(await away.exited, 1);
    });
  },
);
