import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { ProblemException } from './problem.exception';

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/**
 * The bytes of a body after its `Content-Encoding` (RFC 9110 §8.4). Past `maxBytes` it stops at once, of what is announced
 * before anything is read: the usual reader reads what it refuses to its end, and an endless one for ever.
 *
 * @throws ProblemException 413; 415 for other encodings; 400 for a body that cannot be decoded or does not end
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
    const makeDecoder = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined;
    if (encoding !== 'identity' && !makeDecoder) return reject(unknownEncoding());
    if (!makeDecoder && Number(request.headers['content-length'] ?? 0) > maxBytes)
      return reject(tooLarge(maxBytes));
    const decoder = makeDecoder?.();
    const source = decoder ?? request;
    const chunks: Buffer[] = [];
    let bytes = 0;

    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > maxBytes) stop(tooLarge(maxBytes));
      else chunks.push(chunk);
    };
    const onEnd = (): void => stop(undefined);
    const onUndecodable = (): void => stop(undecodable());
    const onClose = (): void => stop(incomplete());
    function stop(problem: ProblemException | undefined): void {
      source.off('data', onData).off('end', onEnd);
      request.off('close', onClose).off('error', onClose);
      if (decoder) request.unpipe(decoder);
      // A decoder that is destroyed may still report what it was in the middle of.
      decoder?.off('error', onUndecodable).on('error', () => undefined);
      decoder?.destroy();
      if (problem) request.pause();
      if (problem) reject(problem);
      else resolve(Buffer.concat(chunks));
    }
    source.on('data', onData).on('end', onEnd);
    // `close` before the end: the client has gone. A decoder ends after the request, which may be closed by then.
    if (decoder) request.once('end', () => request.off('close', onClose));
    request.on('close', onClose).on('error', onClose);
    decoder?.on('error', onUndecodable);
    if (decoder) request.pipe(decoder);
  });
}

function tooLarge(maxBytes: number): ProblemException {
  return new ProblemException(
    413,
    'BODY_TOO_LARGE',
    'Body too large',
    `The body may have ${maxBytes} bytes after decompression.`,
  );
}

function unknownEncoding(): ProblemException {
  return new ProblemException(
    415,
    'UNSUPPORTED_MEDIA_TYPE',
    'Unsupported media type',
    'Content-Encoding must be identity, gzip, deflate or br.',
    undefined,
    { 'Accept-Post': 'application/json', 'Accept-Encoding': 'gzip, deflate, br' },
  );
}

function undecodable(): ProblemException {
  const message = 'the body cannot be decoded';
  return new ProblemException(
    400,
    'BODY_INVALID',
    'Unreadable body',
    `The body is not what its Content-Encoding says.`,
    [{ path: '$', code: 'BODY_INVALID', message }],
  );
}

function incomplete(): ProblemException {
  return new ProblemException(
    400,
    'BODY_INCOMPLETE',
    'Incomplete body',
    'The connection ended before the body.',
  );
}
