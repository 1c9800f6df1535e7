import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Matches } from 'class-validator';
import { documentedPattern } from './documented-pattern';

/** Spaces of all kinds, what is never drawn (joiners, fillers, marks of direction), and the Braille cell without dots. */
const visible = /[^\s\p{Default_Ignorable_Code_Point}\u2800]/u;

/** At least one character that can be seen: a name that cannot be seen is none. */
export function HasVisibleText(message: string): PropertyDecorator {
  return applyDecorators(
    Matches(visible, { message }),
    ApiProperty({ allOf: [{ type: 'string', pattern: documentedPattern(visible) }] }),
  );
}
