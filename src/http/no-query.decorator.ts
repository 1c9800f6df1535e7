import { type PipeTransform, Query } from '@nestjs/common';
import { ProblemException } from './problem.exception';

const maxItems = 50;
const maxPathCharacters = 64;

/** @throws ProblemException 400 naming the parameters */
const refuseAll: PipeTransform<unknown, void> = {
  transform(query) {
    const message = 'is not a field of this request';
    const items = Object.keys(query ?? {})
      .slice(0, maxItems)
      .map(name => ({ path: name.slice(0, maxPathCharacters), code: 'UNKNOWN_FIELD', message }));
    if (items.length === 0) return;
    const detail = items.map(({ path }) => `${path}: ${message}`).join('; ');
    throw new ProblemException(400, 'UNKNOWN_FIELD', 'Unknown field', detail, items);
  },
};

/**
 * A parameter of a handler that takes no query. Where an answer is expensive, a query that is ignored would be a way past the
 * cache for everybody: a request with an undeclared parameter is not cached.
 */
export const NoQuery = (): ParameterDecorator => Query(refuseAll);
