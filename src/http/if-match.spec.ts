import { expectedVersions, requiredVersions, versionTag } from './if-match';
import { ProblemException } from './problem.exception';

const codeOf = (run: () => unknown): string | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof ProblemException ? `${error.status} ${error.code}` : String(error);
  }
};

describe('If-Match', () => {
  it.each([
    ['"3"', [3]],
    ['"3", "4"', [3, 4]],
    ['"3","3"', [3]],
    ['"3-br"', [3]],
    ['"3-gzip"', [3]],
    ['"999999999999999"', [999_999_999_999_999]],
    // Strong comparison: a weak tag is there and matches nothing.
    ['W/"3"', []],
    ['"3-zstd"', []],
    ['"abc"', []],
    ['""', []],
    ['"a,b"', []],
    ['"3,4"', []],
    ['"a,b" ,"3"', [3]],
    ['"-1"', []],
    ['"1.5"', []],
    ['"9999999999999999"', []],
  ])('%s names the versions %j', (header, versions) => {
    expect(requiredVersions(header, 'settings')).toEqual(new Set(versions));
    expect(expectedVersions(header)).toEqual(new Set(versions));
  });

  it('* is any version', () => {
    expect(requiredVersions(' * ', 'settings')).toBe('any');
  });

  it.each(['', '3', '"3', '3"', '"3" "4"', '"3",', '*, "3"', 'w/"3"', '"a\u007f"'])('refuses %j', header => {
    expect(codeOf(() => requiredVersions(header, 'settings'))).toBe('400 IF_MATCH_INVALID');
    expect(codeOf(() => expectedVersions(header))).toBe('400 IF_MATCH_INVALID');
  });

  it('is missing: 428 where it is required, any version where it is not', () => {
    expect(codeOf(() => requiredVersions(undefined, 'settings'))).toBe('428 PRECONDITION_REQUIRED');
    expect(expectedVersions(undefined)).toBe('any');
  });

  it('reads what versionTag writes', () => {
    expect(requiredVersions(versionTag(7), 'settings')).toEqual(new Set([7]));
  });
});
