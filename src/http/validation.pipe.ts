import { type ArgumentMetadata, Injectable, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
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
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bodyInvalid();
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

/** A parameter given twice, or with brackets, is refused: readers along the way may disagree which one counts. */
function checkQuery(query: unknown): void {
  const items: ProblemItem[] = [];
  for (const [name, value] of Object.entries(query ?? {})) {
    const path = name.slice(0, maxPathCharacters);
    if (/[[\]]/.test(name))
      items.push({ path, code: 'QUERY_INVALID', message: 'a parameter is a plain name' });
    else if (typeof value !== 'string')
      items.push({ path, code: 'QUERY_DUPLICATE', message: 'a parameter is given once' });
  }
  const first = items[0];
  if (first)
    throw new ProblemException(400, first.code, 'Invalid query', `${first.path}: ${first.message}`, items);
}

function bodyInvalid(): ProblemException {
  return new ProblemException(400, 'BODY_INVALID', 'Invalid body', 'The body must be a JSON object.', [
    { path: '$', code: 'BODY_INVALID', message: 'must be a JSON object' },
  ]);
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
