import { ProblemException } from './problem.exception';

/** The versions that an `If-Match` header names, or `any` for `*`. */
export type ExpectedVersions = ReadonlySet<number> | 'any';

/** Entity tags (RFC 9110, 8.8.3) with commas between them; one inside of the quotes is part of its tag. */
const tagList = /^\s*(?:W\/)?"[\x21\x23-\x7e]*"(?:\s*,\s*(?:W\/)?"[\x21\x23-\x7e]*")*\s*$/;

/** What was read compressed has the tag of its coding: the version is the same. */
const tagOfVersion = /^"(\d{1,15})(?:-(?:br|gzip))?"$/;

/**
 * Reads an `If-Match` that has to be there (RFC 9110, 13.1.1; RFC 6585, 3). Weak tags never match, as the strong comparison
 * asks; tags that are not versions of ours match nothing.
 * @param what the version is of, for the message: `settings`
 * @throws ProblemException 428 without the header, 400 when it is not a list of entity tags
 */
export function requiredVersions(header: string | undefined, what: string): ExpectedVersions {
  if (header !== undefined) return versionsOf(header);
  throw new ProblemException(
    428,
    'PRECONDITION_REQUIRED',
    'If-Match is missing',
    `Send the ETag of the ${what} that you read as If-Match.`,
  );
}

/**
 * Reads an `If-Match` that may be left out: then every version will do.
 * @throws ProblemException 400 when it is not a list of entity tags
 */
export function expectedVersions(header: string | undefined): ExpectedVersions {
  return header === undefined ? 'any' : versionsOf(header);
}

/** The entity tag of a version. */
export function versionTag(version: number): string {
  return `"${version}"`;
}

function versionsOf(header: string): ExpectedVersions {
  if (header.trim() === '*') return 'any';
  if (!tagList.test(header)) {
    const message = 'must be *, or entity tags such as "3"';
    throw new ProblemException(400, 'IF_MATCH_INVALID', 'Invalid If-Match', `If-Match ${message}.`, [
      { path: 'If-Match', code: 'IF_MATCH_INVALID', message },
    ]);
  }
  return new Set(
    (header.match(/(?:W\/)?"[^"]*"/g) ?? []).flatMap(tag => {
      const version = tagOfVersion.exec(tag)?.[1];
      return version === undefined ? [] : [Number(version)];
    }),
  );
}
