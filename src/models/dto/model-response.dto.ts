import { ApiProperty } from '@nestjs/swagger';
import type { OllamaModel, OllamaShown } from '../ollama-shapes';

export class ModelDto {
  @ApiProperty({ example: 'llama3.2:3b' })
  name!: string;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Bytes on the disk of the provider',
    example: 2_019_393_189,
  })
  size_bytes!: number | null;

  @ApiProperty({ type: String, nullable: true, format: 'date-time', example: '2026-01-02T03:04:05.123Z' })
  modified_at!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'llama' })
  family!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'Q4_K_M' })
  quantization!: string | null;
}

export class ModelListDto {
  @ApiProperty({ type: [ModelDto], description: 'By name' })
  models!: ModelDto[];

  @ApiProperty({ type: 'integer', example: 1 })
  count!: number;

  @ApiProperty({
    type: String,
    nullable: true,
    enum: ['ollama'],
    description: 'Null when none is configured',
    example: 'ollama',
  })
  provider!: 'ollama' | null;
}

export class ModelDetailsDto extends ModelDto {
  @ApiProperty({ type: String, nullable: true, example: '3.2B' })
  parameter_size!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'gguf' })
  format!: string | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Tokens', example: 131_072 })
  context_length!: number | null;

  @ApiProperty({ type: [String], nullable: true, example: ['completion', 'tools'] })
  capabilities!: string[] | null;

  @ApiProperty({ enum: ['ollama'], example: 'ollama' })
  provider!: 'ollama';
}

/** The wire form of one model; what the provider does not say is null. */
export function toModelDto({ name, size, modified_at, details }: OllamaModel): ModelDto {
  return {
    name,
    size_bytes: size ?? null,
    modified_at: dateOf(modified_at),
    family: details?.family || null,
    quantization: details?.quantization_level || null,
  };
}

/** The wire form of the list, by name. */
export function toModelListDto(models: readonly OllamaModel[]): ModelListDto {
  const list = models.map(toModelDto).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return { models: list, count: list.length, provider: 'ollama' };
}

/** The wire form of one model with what the provider shows about it alone. */
export function toModelDetailsDto(model: OllamaModel, shown: OllamaShown): ModelDetailsDto {
  const details = { ...model.details, ...shown.details };
  return {
    ...toModelDto({ ...model, details }),
    parameter_size: details.parameter_size || null,
    format: details.format || null,
    context_length: contextLength(shown.model_info ?? {}),
    capabilities: shown.capabilities ? [...shown.capabilities] : null,
    provider: 'ollama',
  };
}

/** `llama.context_length`: the name of the architecture stands before it. */
function contextLength(info: Readonly<Record<string, unknown>>): number | null {
  const found = Object.entries(info).find(([name]) => name.endsWith('.context_length'))?.[1];
  return typeof found === 'number' && Number.isSafeInteger(found) ? found : null;
}

/** Ollama writes nanoseconds and a local offset; the wire has milliseconds in UTC. */
function dateOf(text: string | null | undefined): string | null {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}
