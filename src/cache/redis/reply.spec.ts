import { areTexts, areValues, checkReply, isLeaseReply, isScanReply, UnexpectedReplyError } from './reply';

const bytes = Buffer.from('x');

describe('replies of Redis', () => {
  test.each([
    ['values', areValues([bytes, null], 2)],
    ['no values at all', areValues([], 0)],
    ['an entry', isLeaseReply([1, bytes])],
    ['a lease', isLeaseReply([2])],
    ['somebody else’s lease', isLeaseReply([3, 1_200])],
    ['tokens', areTexts(['a', 'b'], 2)],
    ['a page of names', isScanReply(['17', ['ns:1:d:{k}']])],
    ['an empty page', isScanReply(['0', []])],
  ])('%s are taken', (_what, isExpected) => {
    expect(isExpected).toBe(true);
  });

  test.each([
    ['null for values', areValues(null, 1)],
    ['too few values', areValues([bytes], 2)],
    ['too many values', areValues([bytes, bytes], 1)],
    ['a number among values', areValues([7], 1)],
    ['null for a lease', isLeaseReply(null)],
    ['an entry without bytes', isLeaseReply([1])],
    ['a lease of another kind', isLeaseReply([129])],
    ['a lease that lasts no number', isLeaseReply([3, NaN])],
    ['too few tokens', areTexts(['a'], 2)],
    ['null among tokens', areTexts([null], 1)],
    ['a page without names', isScanReply(['0'])],
    ['a cursor that is none', isScanReply(['\xb1', []])],
    ['a name with a byte that we never write', isScanReply(['0', ['ns:1:d:{\xeb}']])],
  ])('%s are not', (_what, isExpected) => {
    expect(isExpected).toBe(false);
  });

  test('one that cannot be is an error that names the command', () => {
    expect(() => checkReply('mget', true)).not.toThrow();
    expect(() => checkReply('mget', false)).toThrow(new UnexpectedReplyError('mget'));
  });
});
