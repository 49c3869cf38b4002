import { z } from 'zod';
import type { Ledger } from '../../ledger/types.js';
import { BusinessType } from '../accounts/schemas.js';
import { askLedger } from '../ask-ledger.js';
import { byOf } from '../context.js';
import { named } from '../openapi/registry.js';
import { storable } from '../owner.js';
import type { Operation, Parameter, Route } from '../route.js';
import { readParameter, validate } from '../validate.js';

const TEMPLATE_MAX_CHARS = 20_000;

const TemplateUpdate = named(
  'PromptTemplateUpdate',
  z.strictObject({ template: storable().min(1).max(TEMPLATE_MAX_CHARS) }),
);

const TemplateBody = named(
  'PromptTemplate',
  z.object({ business_type: z.string(), template: z.string(), version: z.int().min(1) }),
);

const BUSINESS_TYPE = {
  in: 'path',
  name: 'business_type',
  description: 'Matched case-insensitively, URL-encoded.',
  schema: BusinessType,
  example: 'Shoe shop',
} satisfies Parameter;

/** PUT: the instruction for a kind of business; each change is a new version. */
export function putTemplate({ ledger }: { ledger: Ledger }): Route {
  return {
    method: 'put',
    path: '/api/v1/admin/prompt-templates/{business_type}/',
    access: 'admin',
    operation,
    async handle(ctx) {
      const businessType = readParameter(ctx, BUSINESS_TYPE);
      const { template } = validate(TemplateUpdate, ctx.request.body);
      const stored = await askLedger(ledger.putTemplate(businessType, template, byOf(ctx)));
      ctx.body = { business_type: stored.businessType, template: stored.template, version: stored.version };
    },
  };
}

const EXAMPLE_TEMPLATE = 'You write system prompts for assistants of shoe shops.';

const operation: Operation = {
  id: 'putPromptTemplate',
  tag: 'Templates',
  summary: 'Set the prompt template of a business type',
  parameters: [BUSINESS_TYPE],
  body: { schema: TemplateUpdate, example: { template: EXAMPLE_TEMPLATE } },
  answers: {
    200: {
      description: 'The newest version; the same text again is the same version.',
      schema: TemplateBody,
      examples: { template: { business_type: 'Shoe shop', template: EXAMPLE_TEMPLATE, version: 3 } },
    },
  },
  errors: ['invalid_request'],
};
