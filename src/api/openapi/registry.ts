import { z } from 'zod';

/** Schemas with a name of their own: the components of the OpenAPI document. */
export const components = z.registry<{ id: string }>();

/** Makes a schema a component. `id` MUST be used once: of two, the document would show the later one. */
export function named<T extends z.ZodType>(id: string, schema: T): T {
  components.add(schema, { id });
  return schema;
}

/** RFC 3339 with its offset, as every time of this API. */
export const Timestamp = z.iso.datetime({ offset: true });

/** How the document points to a component. */
export function reference(schema: z.ZodType): { $ref: string } {
  const component = components.get(schema);
  if (!component) throw new TypeError('Bodies of requests and answers must be components');
  return { $ref: `#/components/schemas/${component.id}` };
}
