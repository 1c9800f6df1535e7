import { DrizzleQueryError } from 'drizzle-orm';
import { DatabaseUnavailableError, reasonOf } from './database-errors';

const failed = (cause: Error) =>
  new DrizzleQueryError('insert into admin_keys values ($1)', ['a digest'], cause);

describe('why a statement failed', () => {
  it('is what the database says, and neither the statement nor its values', () => {
    expect(reasonOf(failed(new Error('relation "admin_keys" does not exist')))).toBe(
      'relation "admin_keys" does not exist',
    );
  });

  it('is told of an outage with what the driver says', () => {
    const full = new DatabaseUnavailableError(undefined, { cause: new Error('No space left on device') });
    expect(reasonOf(failed(full))).toBe('the database cannot be reached: No space left on device');
    const refused = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' });
    expect(reasonOf(new DatabaseUnavailableError(undefined, { cause: refused }))).toBe(
      'the database cannot be reached: ECONNREFUSED',
    );
    expect(reasonOf(new DatabaseUnavailableError())).toBe('the database cannot be reached');
  });

  it('is anything else in its own words', () => {
    expect(reasonOf(new Error('no answer'))).toBe('no answer');
    expect(reasonOf('no answer')).toBe('no answer');
    expect(reasonOf(undefined)).toBe('undefined');
  });
});
