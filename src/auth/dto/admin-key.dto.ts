import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn, IsString, Length, Matches } from 'class-validator';
import { documentedPattern } from '../../http/documented-pattern';
import { HasVisibleText } from '../../http/visible-text.decorator';
import { scopes, type Scope } from '../scopes';

/** `\p{C}` is written out: what it is made of is in the document as far as it goes there. */
const namePattern = /^(?!\s)(?!.*\s$)[^\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}]+$/u;
const maxNameCharacters = 64;
const nameLimits = 'must be 1 to 64 printable characters without spaces around them';

export class CreateKeyDto {
  @ApiProperty({
    minLength: 1,
    maxLength: maxNameCharacters,
    pattern: documentedPattern(namePattern),
    example: 'deploy pipeline',
    description: 'For people: 1 to 64 printable characters, without spaces around them',
  })
  @IsString({ message: 'must be a text' })
  @Length(1, maxNameCharacters, { message: nameLimits })
  @Matches(namePattern, { message: nameLimits })
  @HasVisibleText(nameLimits)
  name!: string;

  @ApiProperty({
    enum: scopes,
    isArray: true,
    minItems: 1,
    maxItems: scopes.length,
    example: ['cache:read', 'cache:write'],
  })
  @IsArray({ message: 'must be a list' })
  @ArrayMinSize(1, { message: 'must name at least one scope' })
  @ArrayMaxSize(scopes.length, { message: `may name ${scopes.length} scopes` })
  @IsIn(scopes, { each: true, message: `each must be one of ${scopes.join(', ')}` })
  scopes!: Scope[];
}

export class AdminKeyDto {
  @ApiProperty({ example: '9f86d081884c7d65', description: 'Not a part of the key' })
  id!: string;

  @ApiProperty({ example: 'deploy pipeline' })
  name!: string;

  @ApiProperty({ enum: scopes, isArray: true })
  scopes!: Scope[];

  @ApiProperty({ format: 'date-time' })
  created_at!: string;

  @ApiProperty({ example: 'loopback' })
  created_by!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  revoked_at!: string | null;

  @ApiProperty({ type: String, nullable: true, example: null })
  revoked_by!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'To the minute' })
  last_used_at!: string | null;
}

export class CreatedKeyDto extends AdminKeyDto {
  @ApiProperty({
    description: 'The key itself: shown here and never again',
    example: 'sutazai_…',
  })
  key!: string;
}

export class AdminKeyListDto {
  @ApiProperty({ type: [AdminKeyDto], description: 'The latest first; of revoked ones the last 1,000' })
  keys!: AdminKeyDto[];

  @ApiProperty({ type: 'integer', example: 1 })
  count!: number;
}

export class RevokedKeyDto extends AdminKeyDto {
  @ApiProperty({ description: 'Redis has dropped what it held of the key' })
  applied!: boolean;

  @ApiProperty({ description: 'Redis is away: it is dropped before Redis is asked again' })
  queued!: boolean;
}
