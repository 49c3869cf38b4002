import { createServer } from 'node:http';
import { Client, Connection } from '@temporalio/client';
import { PROGRESS_QUERY } from '../src/contract/names.js';
import { freePort } from '../src/free-port.js';

/**
 * What this service would be without its feed: a server that answers `GET /<task id>` by one query of the workflow, with
 * nothing else around it.
 */
export async function startPlainQuery(temporalAddress: string): Promise<{ url: string; stop(): Promise<void> }> {
  const connection = await Connection.connect({ address: temporalAddress });
  const client = new Client({ connection });
  const server = createServer((request, response) => {
    const taskId = request.url?.slice(1) ?? '';
    client.workflow
      .getHandle(taskId)
      .query(PROGRESS_QUERY)
      .then(
        (snapshot) => response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(snapshot)),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      await new Promise((resolve) => server.close(resolve));
      await connection.close();
    },
  };
}
