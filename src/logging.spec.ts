import { DrizzleQueryError } from 'drizzle-orm';
import { describeError } from './logging';

const digest = 'c1e8f522e102436a855fcb67d6d3b6a3822e707409a66e419bdb8c5483d434db';

describe('an error in the log', () => {
  it('names a statement that failed and its cause, without the values', () => {
    const error = new DrizzleQueryError(
      'insert into "agent_tokens" values ($1, $2)',
      ['a\n    at b', digest],
      new Error('no space left'),
    );
    const described = describeError(error);
    expect(described).toMatchObject({
      message: 'Failed query: insert into "agent_tokens" values ($1, $2)',
      stack: expect.stringMatching(/values \(\$1, \$2\)\n {4}at .*logging\.spec/) as unknown,
      cause: { message: 'no space left' },
    });
    expect(JSON.stringify(described)).not.toContain(digest);
  });

  it('has no password of an address', () => {
    expect(describeError(new Error('cannot reach postgres://me:secret@host/db'))).toMatchObject({
      message: 'cannot reach postgres://me:…@host/db',
    });
  });
});
