import { ProblemException } from '../http/problem.exception';
import type { OllamaFault } from './ollama.client';

/** What callers are told of a fault of the provider; its own text is for the log. */
export function problemOf(fault: OllamaFault): ProblemException {
  switch (fault) {
    case 'unreachable':
    case 'timeout':
      return new ProblemException(
        503,
        'MODELS_UNAVAILABLE',
        'Models unavailable',
        'The provider of the models does not answer at the moment.',
      );
    case 'unknown_model':
      return unknownToProvider();
    case 'failed':
      return new ProblemException(
        502,
        'MODEL_PULL_FAILED',
        'Pull failed',
        'The provider of the models could not pull this model.',
      );
    case 'status':
    case 'too_large':
    case 'malformed':
      return new ProblemException(
        502,
        'MODELS_BAD_ANSWER',
        'Unusable answer',
        'The provider of the models gave an answer that cannot be used.',
      );
  }
}

export function modelNotFound(): ProblemException {
  return new ProblemException(404, 'MODEL_NOT_FOUND', 'Model not found', 'There is no model of this name.');
}

function unknownToProvider(): ProblemException {
  return new ProblemException(
    404,
    'MODEL_NOT_FOUND',
    'Model not found',
    'The provider of the models knows no model of this name.',
  );
}

/** @param host a host that is not among OLLAMA_PULL_HOSTS */
export function hostRefused(host: string): ProblemException {
  const message = `begins with the host ${host}, which is not one of OLLAMA_PULL_HOSTS`;
  return new ProblemException(400, 'MODEL_HOST_REFUSED', 'Host refused', `name: ${message}`, [
    { path: 'name', code: 'MODEL_HOST_REFUSED', message },
  ]);
}

export function noProvider(): ProblemException {
  return new ProblemException(
    503,
    'MODELS_NO_PROVIDER',
    'No provider',
    'No provider of models is configured (OLLAMA_URL).',
  );
}

/** @param what with its limit, as `2 pulls are under way` */
export function tooManyPulls(what: string): ProblemException {
  return new ProblemException(
    429,
    'MODEL_PULLS_TOO_MANY',
    'Too many pulls',
    `${what}; try again later.`,
    undefined,
    {
      'Retry-After': '30',
    },
  );
}

export function pullTimedOut(detail: string): ProblemException {
  return new ProblemException(503, 'MODEL_PULL_TIMEOUT', 'Pull given up', detail);
}

export function pullAborted(): ProblemException {
  return new ProblemException(
    503,
    'MODEL_PULL_ABORTED',
    'Pull ended',
    'This instance is shutting down. The next pull of this model goes on with what is there.',
  );
}
