import { HttpException } from '@nestjs/common';
import { ProblemException } from './problem.exception';
import { codeOfStatus, type ProblemAnswer } from './problem';

/**
 * What errors with a stable `code` of their own mean over HTTP. They are told by the code and not by their class, so
 * that this folder need not know the cache, the database or a feature. Those up to 499 are the caller's own mistakes and
 * keep their message, which their authors write for callers; those above get a text of ours.
 */
const answers: Readonly<Record<string, { status: number; title: string; detail?: string; code?: string }>> = {
  CACHE_KEY_TYPE: { status: 400, title: 'Invalid cache key' },
  CACHE_KEY_INVALID: { status: 400, title: 'Invalid cache key' },
  KEYS_TOO_MANY: { status: 400, title: 'Too many keys' },
  TAG_INVALID: { status: 400, title: 'Invalid tag' },
  TAG_RESERVED: { status: 400, title: 'Reserved tag' },
  TAGS_TOO_MANY: { status: 400, title: 'Too many tags' },
  PATTERN_INVALID: { status: 400, title: 'Invalid pattern' },
  PATTERN_TOO_BROAD: { status: 400, title: 'Pattern too broad' },
  TTL_INVALID: { status: 400, title: 'Invalid TTL' },
  VALUE_TOO_LARGE: { status: 413, title: 'Value too large' },
  VALUE_NOT_SERIALISABLE: { status: 422, title: 'Value cannot be stored' },
  CACHE_LOAD_TIMEOUT: {
    status: 503,
    title: 'Source too slow',
    detail: 'The source of this answer did not answer in time.',
  },
  CACHE_DEADLINE: {
    status: 503,
    title: 'Deadline passed',
    detail: 'There was no answer within the deadline.',
  },
  CACHE_OVERLOADED: {
    status: 503,
    title: 'Overloaded',
    detail: 'Too many answers of this kind are being made already.',
  },
  CACHE_CLOSED: { status: 503, title: 'Shutting down', detail: 'This instance is shutting down.' },
  CACHE_UNAVAILABLE: { status: 503, title: 'Cache unavailable', detail: 'The cache cannot take this now.' },
  REMOTE_UNAVAILABLE: {
    status: 503,
    title: 'Cache unavailable',
    detail: 'The cache cannot take this now.',
    code: 'CACHE_UNAVAILABLE',
  },
  DATABASE_UNAVAILABLE: {
    status: 503,
    title: 'Database unavailable',
    detail: 'The database cannot be reached at the moment.',
  },
};

/** How the router says that a part of the path has a broken percent-encoding. */
const undecodable = /^Failed to decode param/;
const maxCauses = 5;
const maxDetailCharacters = 300;

/** What an error means over HTTP. Anything unknown is a 500 without its text. */
export function answerOf(error: unknown): ProblemAnswer {
  if (error instanceof ProblemException) return error;
  if (error instanceof HttpException) return ofHttpException(error);
  const known = ofCode(error) ?? ofRouter(error) ?? ofCauses(error);
  return (
    known ?? {
      status: 500,
      code: 'INTERNAL_ERROR',
      detail: 'Something went wrong here; the request id finds it in the log.',
    }
  );
}

function ofHttpException(error: HttpException): ProblemAnswer {
  const status = error.getStatus();
  if (status === 400 && undecodable.test(error.message)) return pathInvalid;
  return { status, code: codeOfStatus(status), ...(status < 500 && { detail: shorten(error.message) }) };
}

function ofCode(error: unknown): ProblemAnswer | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const answer = typeof code === 'string' && Object.hasOwn(answers, code) ? answers[code] : undefined;
  if (!answer) return undefined;
  const detail = answer.status < 500 ? shorten(String(message)) : answer.detail;
  return { status: answer.status, code: answer.code ?? (code as string), title: answer.title, detail };
}

function ofRouter(error: unknown): ProblemAnswer | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { message, status } = error as { message?: unknown; status?: unknown };
  return status === 400 && undecodable.test(String(message)) ? pathInvalid : undefined;
}

/** A wrapped outage (drizzle and loaders wrap what drivers throw) is still an outage. */
function ofCauses(error: unknown): ProblemAnswer | undefined {
  let cause: unknown = error;
  for (let depth = 0; typeof cause === 'object' && cause !== null && depth < maxCauses; depth += 1) {
    cause = (cause as { cause?: unknown }).cause;
    const answer = ofCode(cause);
    if (answer?.status === 503) return answer;
  }
  return undefined;
}

const pathInvalid: ProblemAnswer = {
  status: 400,
  code: 'PATH_INVALID',
  title: 'Invalid path',
  detail: 'The path has a broken percent-encoding.',
};

function shorten(text: string): string {
  return text.length <= maxDetailCharacters ? text : `${text.slice(0, maxDetailCharacters - 1)}…`;
}
