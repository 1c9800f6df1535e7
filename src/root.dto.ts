import { ApiProperty } from '@nestjs/swagger';

export class ApplicationFeaturesDto {
  @ApiProperty({
    enum: ['url', 'embedded', 'off'],
    description: 'The Redis that instances share: a server, a private one, or none',
    example: 'url',
  })
  shared_cache!: string;

  @ApiProperty({ enum: ['server', 'embedded'], example: 'server' })
  database!: string;

  @ApiProperty({ enum: ['ollama', 'none'], description: 'Who runs the models', example: 'ollama' })
  models!: string;

  @ApiProperty({ description: 'At the start and by schedule', example: true })
  cache_warming!: boolean;
}

export class ApplicationDto {
  @ApiProperty({ example: 'SutazAI backend' })
  name!: string;

  @ApiProperty({ example: '2.0.0' })
  version!: string;

  @ApiProperty({
    enum: ['running', 'degraded'],
    description:
      '`degraded` while the database is away, as far as the last check knows: one is made every ten seconds at least',
    example: 'running',
  })
  status!: string;

  @ApiProperty({ enum: ['development', 'production', 'test'], example: 'production' })
  environment!: string;

  @ApiProperty()
  features!: ApplicationFeaturesDto;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    description: 'Paths on this server',
    example: { documentation: '/docs', health: '/health' },
  })
  links!: Record<string, string>;
}
