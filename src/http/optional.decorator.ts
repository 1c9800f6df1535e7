import { ValidateIf } from 'class-validator';

/** A field that may be left out, but not be null. (`@IsOptional` lets null through as well.) */
export function MayBeAbsent(): PropertyDecorator {
  return ValidateIf((_object, value: unknown) => value !== undefined);
}
