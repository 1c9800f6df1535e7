import { type ArgumentMetadata, Injectable, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { bodyInvalid, checkBody, checkQuery } from './input-shape';
import { maxItems, maxPathCharacters, ProblemException, type ProblemItem } from './problem.exception';
import { namesOfEveryObject, refuseUnknown, unknownField } from './unknown-fields';

/**
 * Checks bodies, queries and path parameters against the class that the handler names: fields that it does not have are
 * refused, the others are changed into their types. A refusal names every field with its limit.
 */
@Injectable()
export class RequestValidationPipe extends ValidationPipe {
  constructor() {
    super({
      whitelist: true,
      forbidNonWhitelisted: true,
      transform: true,
      forbidUnknownValues: true,
      stopAtFirstError: false,
      validationError: { target: false, value: false },
      exceptionFactory: errors => refusal(errors),
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const isDto = this.toValidate(metadata);
    if (metadata.type === 'query') checkQuery(value);
    if (metadata.type === 'body' && isDto) {
      if (value === undefined) return this.withoutBody(metadata);
      checkBody(value);
    }
    if (isDto) refuseUnknown(namesOfEveryObject(value));
    return super.transform(value, metadata) as Promise<unknown>;
  }

  /** No body is an empty one where every field may be left out; elsewhere it is the body that is missing, not its fields. */
  private async withoutBody(metadata: ArgumentMetadata): Promise<unknown> {
    try {
      return (await super.transform({}, metadata)) as unknown;
    } catch (error) {
      throw error instanceof ProblemException ? bodyInvalid() : error;
    }
  }
}

function refusal(errors: readonly ValidationError[]): ProblemException {
  const items = errors.flatMap(error => flatten(error, '')).slice(0, maxItems);
  const areUnknown = items.length > 0 && items.every(item => item.code === 'UNKNOWN_FIELD');
  // A list of which each item has the same fault says it once.
  const detail = [...new Set(items.map(item => `${item.path}: ${item.message}`))].join('; ');
  return areUnknown
    ? new ProblemException(400, 'UNKNOWN_FIELD', 'Unknown field', detail, items)
    : new ProblemException(400, 'VALIDATION_FAILED', 'Invalid request', detail, items);
}

function flatten(error: ValidationError, parent: string): ProblemItem[] {
  const isIndex = /^\d+$/.test(error.property);
  const path = (
    isIndex ? `${parent}[${error.property}]` : parent === '' ? error.property : `${parent}.${error.property}`
  ).slice(0, maxPathCharacters);
  const own = constraintsOf(error).map(([constraint, message]) =>
    constraint === 'whitelistValidation'
      ? unknownField(path)
      : { path, code: screaming(constraint), message: withoutName(message, error.property) },
  );
  return [...own, ...(error.children ?? []).flatMap(child => flatten(child, path))];
}

/** With their messages. That a field is nothing to look into is said by what asks for an object there, in its own words. */
function constraintsOf({ constraints = {} }: ValidationError): [constraint: string, message: string][] {
  const all = Object.entries(constraints);
  const others = all.filter(([constraint]) => constraint !== 'nestedValidation');
  return others.length > 0 ? others : all;
}

/** `isInt` becomes `IS_INT`. */
function screaming(constraint: string): string {
  return constraint.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();
}

function withoutName(message: string, name: string): string {
  return message.startsWith(`${name} `) ? message.slice(name.length + 1) : message;
}
