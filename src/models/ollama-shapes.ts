import { z } from 'zod';

/** What is read of Ollama's answers; what else they hold is left out. A field of another type makes the answer malformed. */
const details = z.object({
  format: z.string().max(200).nullish(),
  family: z.string().max(200).nullish(),
  parameter_size: z.string().max(200).nullish(),
  quantization_level: z.string().max(200).nullish(),
});

/** GET /api/tags */
export const tagsShape = z.object({
  // A server without any model answers null in some versions.
  models: z
    .array(
      z.object({
        name: z.string().min(1).max(500),
        modified_at: z.string().max(100).nullish(),
        size: z.number().int().nonnegative().nullish(),
        digest: z.string().max(200).nullish(),
        details: details.nullish(),
      }),
    )
    .max(100_000)
    .nullable(),
});

/** POST /api/show */
export const showShape = z.object({
  details: details.nullish(),
  model_info: z.record(z.string(), z.unknown()).nullish(),
  capabilities: z.array(z.string().max(100)).max(100).nullish(),
});

/** GET /api/version */
export const versionShape = z.object({ version: z.string().max(100) });

/** One line of POST /api/pull: how far it is, or, at any place and as the last one, why it failed. */
export const pullLineShape = z.object({
  status: z.string().max(500).nullish(),
  digest: z.string().max(200).nullish(),
  total: z.number().int().nonnegative().nullish(),
  completed: z.number().int().nonnegative().nullish(),
  error: z.string().nullish(),
});

export type OllamaPullLine = z.output<typeof pullLineShape>;
export type OllamaModel = NonNullable<z.output<typeof tagsShape>['models']>[number];
export type OllamaShown = z.output<typeof showShape>;
