import type { Hash, TokenName } from './ports';
import type { Copied } from './protocol';

/**
 * The stored form of an entry, version 1 (all numbers big-endian):
 *
 *     0  2  magic "SC"            8 16  fill id (ASCII)            44  4  soft TTL, ms
 *     2  1  format version       24  8  birth, server ms, double   48  4  length of the value before compression
 *     3  1  flags                32  8  version, double            52  4  CRC-32 of everything but birth and itself
 *     4  1  serialiser id        40  4  hard TTL, ms               56     key, tags (u16 length, name, token), payload
 *     5  1  number of tags
 *     6  2  bytes of the key
 *
 * Birth is written by the script that stores the entry, in the server's time, so that no clock of an instance takes
 * part in its age (protocol 1.0, 12). The clear key stands in the entry and is compared on reading: a swapped or
 * colliding entry is a miss. Fill id and version stand at fixed places because scripts read them.
 */
export interface EntryHeader {
  key: string;
  fillId: string;
  /** Server milliseconds; written by the server. */
  birthMs: number;
  /** Of `set` with a version; 0 for none. */
  version: number;
  hardTtlMs: number;
  softTtlMs: number;
  negative: boolean;
  serializerId: number;
  /** 0 when the payload is not compressed. */
  compressorId: number;
  rawLength: number;
  tokens: readonly (readonly [TokenName, string])[];
}

export interface StoredEntry extends EntryHeader {
  payload: Uint8Array;
}

const magic0 = 0x53;
const magic1 = 0x43;
export const formatVersion = 1;
export const birthOffset = 24;
const afterBirth = 32;
const crcOffset = 52;
const bodyOffset = 56;
const tokenLength = 16;
const negativeFlag = 1;

const utf8 = new TextEncoder();
const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes of an entry. Its birth is still 0: the script that stores it writes that. */
export function writeEntry(
  header: Omit<EntryHeader, 'birthMs'>,
  payload: Uint8Array,
  hash: Hash,
): Uint8Array {
  const { tokens } = header;
  const keyLength = lengthOf(header.key);
  let tokenBytes = 0;
  for (const [name] of tokens) tokenBytes += 2 + lengthOf(name) + tokenLength;
  const bytes = new Uint8Array(bodyOffset + keyLength + tokenBytes + payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = magic0;
  bytes[1] = magic1;
  bytes[2] = formatVersion;
  bytes[3] = (header.negative ? negativeFlag : 0) | (header.compressorId << 4);
  bytes[4] = header.serializerId;
  bytes[5] = tokens.length;
  view.setUint16(6, keyLength);
  writeToken(bytes, 8, header.fillId);
  view.setFloat64(32, header.version);
  view.setUint32(40, header.hardTtlMs);
  view.setUint32(44, header.softTtlMs);
  view.setUint32(48, header.rawLength);
  let at = writeText(bytes, bodyOffset, header.key);
  for (const [name, token] of tokens) {
    const nameEnd = writeText(bytes, at + 2, name);
    view.setUint16(at, nameEnd - at - 2);
    writeToken(bytes, nameEnd, token);
    at = nameEnd + tokenLength;
  }
  bytes.set(payload, at);
  view.setUint32(crcOffset, checksum(bytes, hash));
  return bytes;
}

/** Why an entry could not be read: each is a miss and counted under its own name. */
export type FormatFault = 'short' | 'magic' | 'version' | 'checksum' | 'key' | 'structure';

/**
 * Reads an entry, or says what is wrong with it. Never throws, whatever the bytes.
 *
 * @param expected tokens that it has probably copied; if it has copied these and no others, `tokens` of the answer is this list
 */
export function readEntry(
  bytes: Uint8Array,
  expectedKey: string,
  hash: Hash,
  expected?: Copied,
): StoredEntry | FormatFault {
  if (bytes.length < bodyOffset) return 'short';
  if (bytes[0] !== magic0 || bytes[1] !== magic1) return 'magic';
  if (bytes[2] !== formatVersion) return 'version';
  if (checksum(bytes, hash) !== uint32(bytes, crcOffset)) return 'checksum';
  // From here on the bytes are as they were written; what does not fit was written wrong.
  const keyEnd = bodyOffset + uint16(bytes, 6);
  if (keyEnd > bytes.length) return 'structure';
  if (!spells(bytes, bodyOffset, keyEnd, expectedKey)) return 'key';
  const asExpected = expected === undefined ? 0 : endOfCopied(bytes, keyEnd, expected);
  const copied = asExpected > 0 ? { tokens: expected!, end: asExpected } : copiedFrom(bytes, keyEnd);
  if (copied === undefined) return 'structure';
  return {
    key: expectedKey,
    fillId: fillIdOf(bytes),
    birthMs: float64(bytes, birthOffset),
    version: float64(bytes, 32),
    hardTtlMs: uint32(bytes, 40),
    softTtlMs: uint32(bytes, 44),
    negative: (bytes[3]! & negativeFlag) !== 0,
    serializerId: bytes[4]!,
    compressorId: bytes[3]! >> 4,
    rawLength: uint32(bytes, 48),
    tokens: copied.tokens,
    payload: part(bytes, copied.end, bytes.length),
  };
}

/** Tokens as they stand behind the key, and where they end. */
function copiedFrom(bytes: Uint8Array, from: number): { tokens: Copied; end: number } | undefined {
  const tokens: [TokenName, string][] = [];
  let at = from;
  for (let index = 0; index < bytes[5]!; index += 1) {
    if (at + 2 > bytes.length) return undefined;
    const nameEnd = at + 2 + uint16(bytes, at);
    if (nameEnd + tokenLength > bytes.length) return undefined;
    const name = decode(bytes, at + 2, nameEnd);
    const token = isAscii(bytes, nameEnd, nameEnd + tokenLength) ? sixteen(bytes, nameEnd) : undefined;
    if (name === undefined || token === undefined) return undefined;
    tokens.push([name, token]);
    at = nameEnd + tokenLength;
  }
  return { tokens, end: at };
}

/** Where they end if they are these, compared byte by byte so that nothing is made of them; 0 if they are not. */
function endOfCopied(bytes: Uint8Array, from: number, expected: Copied): number {
  if (bytes[5] !== expected.length) return 0;
  let at = from;
  for (let index = 0; index < expected.length; index += 1) {
    const [name, token] = expected[index]!;
    const nameEnd = at + 2 + name.length;
    const end = nameEnd + tokenLength;
    if (end > bytes.length || uint16(bytes, at) !== name.length) return 0;
    if (token.length !== tokenLength || !isSame(bytes, at + 2, name) || !isSame(bytes, nameEnd, token))
      return 0;
    at = end;
  }
  return at;
}

/** Whether this ASCII text stands there. */
function isSame(bytes: Uint8Array, from: number, text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (bytes[from + at] !== text.charCodeAt(at)) return false;
  return true;
}

/** The fill id of bytes that may or may not be an entry. */
export function fillIdOf(bytes: Uint8Array): string {
  if (bytes.length <= 8) return '';
  if (bytes.length >= 24) return sixteen(bytes, 8);
  return Reflect.apply(String.fromCharCode, undefined, part(bytes, 8, bytes.length)) as string;
}

/** Of everything but birth and itself. What stands before it is short: copied together it takes one call less. */
function checksum(bytes: Uint8Array, hash: Hash): number {
  for (let at = 0; at < birthOffset; at += 1) beforeCrc[at] = bytes[at]!;
  for (let at = afterBirth; at < crcOffset; at += 1) beforeCrc[at - afterBirth + birthOffset] = bytes[at]!;
  return hash.crc32(part(bytes, crcOffset + 4, bytes.length), hash.crc32(beforeCrc));
}

const beforeCrc = new Uint8Array(birthOffset + crcOffset - afterBirth);

// As a DataView reads them, without making one.

function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function uint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function float64(bytes: Uint8Array, at: number): number {
  for (let index = 0; index < 8; index += 1) doubleBytes[index] = bytes[at + index]!;
  return doubleView.getFloat64(0);
}

const doubleBytes = new Uint8Array(8);
const doubleView = new DataView(doubleBytes.buffer);

/** A view, as `subarray` makes one; that of a Buffer is a Buffer again, which takes several times as long. */
function part(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from);
}

/** Short and ASCII is nearly everything here, and does not need a decoder. */
const maxPlainLength = 64;

function decode(bytes: Uint8Array, from: number, to: number): string | undefined {
  const some = part(bytes, from, to);
  if (some.length <= maxPlainLength && isAscii(bytes, from, to))
    return Reflect.apply(String.fromCharCode, undefined, some) as string;
  try {
    return text.decode(some);
  } catch {
    // A fatal decoder throws for nothing else than bytes that are no UTF-8.
    return undefined;
  }
}

function isAscii(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if (bytes[at]! > 127) return false;
  return true;
}

/** Whether the bytes are this text, of which no copy is made as long as it is ASCII. */
function spells(bytes: Uint8Array, from: number, to: number, expected: string): boolean {
  if (to - from !== expected.length) return decode(bytes, from, to) === expected;
  for (let at = 0; at < expected.length; at += 1) {
    const byte = bytes[from + at]!;
    if (byte > 127) return decode(bytes, from, to) === expected;
    if (byte !== expected.charCodeAt(at)) return false;
  }
  return true;
}

/** Tokens and fill ids are so long. One call with all of them takes a fifth of the time of one with a list. */
function sixteen(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(
    bytes[at]!,
    bytes[at + 1]!,
    bytes[at + 2]!,
    bytes[at + 3]!,
    bytes[at + 4]!,
    bytes[at + 5]!,
    bytes[at + 6]!,
    bytes[at + 7]!,
    bytes[at + 8]!,
    bytes[at + 9]!,
    bytes[at + 10]!,
    bytes[at + 11]!,
    bytes[at + 12]!,
    bytes[at + 13]!,
    bytes[at + 14]!,
    bytes[at + 15]!,
  );
}

/** Bytes of a text in UTF-8. */
function lengthOf(some: string): number {
  for (let at = 0; at < some.length; at += 1) if (some.charCodeAt(at) > 127) return utf8.encode(some).length;
  return some.length;
}

/** Writes a text in UTF-8, and tells where it ends. Short and ASCII is nearly everything here, and does not need an encoder. */
function writeText(target: Uint8Array, from: number, some: string): number {
  for (let at = 0; at < some.length; at += 1) {
    const code = some.charCodeAt(at);
    if (code > 127) return from + utf8.encodeInto(some, target.subarray(from)).written;
    target[from + at] = code;
  }
  return from + some.length;
}

/** Always so many bytes: a token may have been changed on its way, and then its entry is one that nobody can read. */
function writeToken(target: Uint8Array, at: number, token: string): void {
  for (let index = 0; index < tokenLength; index += 1) target[at + index] = token.charCodeAt(index);
}
