import type { OpenAPIObject } from '@nestjs/swagger';

/** Adds null to the values of what is nullable: `enum` forbids what it does not list (OpenAPI 3.0.3, clarified proposal on nullable). */
export function allowNull(document: OpenAPIObject): void {
  visit(document.components?.schemas);
  visit(document.paths);
}

function visit(part: unknown): void {
  if (typeof part !== 'object' || part === null) return;
  const schema = part as { nullable?: unknown; enum?: unknown[] };
  // A list of its own: the one that is there belongs to whoever validates with it.
  if (schema.nullable === true && Array.isArray(schema.enum) && !schema.enum.includes(null))
    schema.enum = [...schema.enum, null];
  for (const child of Object.values(part)) visit(child);
}
