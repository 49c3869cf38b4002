import { setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { attributesOf } from '../contract/search-attributes.js';
import type { Snapshot } from '../contract/snapshot.js';
import type { Step } from '../contract/steps.js';
import { currentDetails } from './current-details.js';
import { trackSearchAttributes } from './search-attributes.js';

/** What operators find a run by and read of it in the Temporal Web UI. */
export interface ShownToOperators {
  show: (snapshot: Snapshot, step: Step) => void;
  about: (facts: { businessType: string | null }) => void;
}

/** MUST be called before the workflow's first await. */
export function showToOperators(): ShownToOperators {
  const { namespace } = workflowInfo();
  const writeAttributes = trackSearchAttributes();
  let known: { businessType?: string } = {};

  return {
    about: ({ businessType }) => {
      if (businessType !== null) known = { businessType };
    },
    show: (snapshot, step) => {
      writeAttributes?.({ ...known, ...attributesOf(snapshot, step) });
      const listedIn = writeAttributes === null ? {} : { listedIn: namespace };
      setCurrentDetails(currentDetails({ snapshot, step, ...known, ...listedIn }));
    },
  };
}
