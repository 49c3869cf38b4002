import { z } from 'zod';
import type { Diagnosis } from '../../api/support/doctor.js';
import { VERSION } from '../../version.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { harmless, table } from '../table.js';

type Findings = z.infer<typeof Diagnosis>['findings'];

/** As far as this machine's clock may be from the API's, in ms: a token is taken so long after its end. */
const CLOCK_MS = 5_000;

/** `doctor`: every part of the service, as the API sees it, and the API, as this machine does. */
export const doctor = command({
  name: 'doctor',
  positionals: [],
  summary: 'Examine the service: what is reachable, versions, workers, backlog, clocks, migrations',
  options: {},
  schema: z.strictObject({}),
  async run(_input, { api, answer }) {
    const began = Date.now();
    const diagnosis = (await api().get('/api/v1/support/doctor/')) as z.infer<typeof Diagnosis>;
    const findings = [...ofApi(api().url, diagnosis, began), ...diagnosis.findings];
    const bad = findings.filter(({ ok }) => !ok).length;
    answer({ ...diagnosis, well: bad === 0, findings }, () =>
      [
        table(
          ['part', '', 'what'],
          findings.map(({ part, ok, detail }) => [part, ok ? 'ok' : 'BAD', harmless(detail)]),
        ),
        '',
        bad === 0 ? 'All is well.' : `${bad} of ${findings.length} are not well; docs/runbook.md says what to do.`,
      ].join('\n'),
    );
    return bad === 0 ? EXIT.done : EXIT.bad;
  },
});

/** `began`: when it was asked. Its time is of some moment between then and now. */
function ofApi(url: string, { version, time }: z.infer<typeof Diagnosis>, began: number): Findings {
  const at = Date.parse(time);
  const now = Date.now();
  const aheadMs = at > now ? at - now : Math.min(0, at - began);
  const code = version === VERSION ? `version ${version}` : `version ${version}, this CLI is of ${VERSION}`;
  return [
    { part: 'api', ok: true, detail: `${url}, ${code}` },
    {
      part: 'api clock',
      ok: Math.abs(aheadMs) <= CLOCK_MS,
      detail: `${(Math.abs(aheadMs) / 1_000).toFixed(1)} s ${aheadMs < 0 ? 'behind' : 'ahead of'} this machine's`,
    },
  ];
}
