import { identityTag } from '../cache';
import { ProblemException } from '../http/problem.exception';

/** The versions that an `If-Match` header names, or `any` for `*`. */
export type ExpectedVersions = ReadonlySet<number> | 'any';

/**
 * Reads `If-Match` (RFC 9110, 13.1.1). Weak tags never match, as the strong comparison asks; tags that are not versions of
 * ours match nothing.
 * @throws ProblemException 428 without the header, 400 when it is not a list of entity tags
 */
export function expectedVersions(header: string | undefined): ExpectedVersions {
  if (header === undefined) {
    throw new ProblemException(
      428,
      'PRECONDITION_REQUIRED',
      'If-Match is missing',
      'Send the ETag of the settings that you read as If-Match.',
    );
  }
  if (header.trim() === '*') return 'any';
  const tags = header.split(',').map(tag => tag.trim());
  if (!tags.every(tag => /^(W\/)?"[\x21\x23-\x7e]*"$/.test(tag))) {
    throw new ProblemException(
      400,
      'IF_MATCH_INVALID',
      'Invalid If-Match',
      'If-Match must be *, or entity tags such as "3".',
      [{ path: 'If-Match', code: 'IF_MATCH_INVALID', message: 'must be *, or entity tags such as "3"' }],
    );
  }
  // What was read compressed has the tag of its coding: the version is the same.
  return new Set(
    tags.map(identityTag).flatMap(tag => (/^"\d{1,9}"$/.test(tag) ? [Number(tag.slice(1, -1))] : [])),
  );
}

/** The entity tag of a version. */
export function versionTag(version: number): string {
  return `"${version}"`;
}
