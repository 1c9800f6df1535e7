import { ApiProperty } from '@nestjs/swagger';
import { ValidateBy } from 'class-validator';
import { isModelName, maxModelNameCharacters } from '../model-name';

const message = `must be the name of a model, [host[:port]/][namespace/]model[:tag], of at most ${maxModelNameCharacters} characters`;

export class PullModelDto {
  @ApiProperty({
    description:
      'As Ollama writes it: `[host[:port]/][namespace/]model[:tag]`; without a tag the latest. A host is one of OLLAMA_PULL_HOSTS.',
    maxLength: maxModelNameCharacters,
    example: 'llama3.2:3b',
  })
  @ValidateBy(
    {
      name: 'isModelName',
      validator: { validate: value => typeof value === 'string' && isModelName(value) },
    },
    { message },
  )
  name!: string;
}
