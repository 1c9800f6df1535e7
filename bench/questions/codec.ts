import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  deflateRawSync,
  gunzipSync,
  gzipSync,
  inflateRawSync,
} from 'node:zlib';
import { Packr } from 'msgpackr';
import { DeflateCompressor } from '../../src/cache/codec/deflate-compressor';
import { MsgpackSerializer } from '../../src/cache/codec/msgpack-serializer';
import { payloadOf } from '../measure/payload';
import type { Bench, Question } from '../measure/question';
import { race, type Contender, type Measured } from '../measure/race';
import type { Answer } from '../measure/report';

/** What turning values into bytes and back costs, and what compressing them saves, for what Node brings. */
export const question: Question = { title: 'Codec', ask };

const sizes = [1, 4, 25, 200];

interface Way {
  readonly name: string;
  readonly there: (input: never) => Uint8Array;
  readonly back: (bytes: Uint8Array) => unknown;
}

async function ask(bench: Bench): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const kilobytes of sizes) {
    const value = payloadOf(kilobytes * 1_024);
    answers.push(...(await both(`${kilobytes} KB, serialising`, serialisers(), value, bench)));
    const bytes = new MsgpackSerializer().encode(value);
    answers.push(...(await both(`${kilobytes} KB, compressing`, compressors(bytes.length), bytes, bench)));
  }
  return answers;
}

function serialisers(): Way[] {
  const [plain, records, shared] = [
    new Packr({ useRecords: false }),
    new Packr({ useRecords: true }),
    new Packr({ structures: [] }),
  ];
  const ours = new MsgpackSerializer();
  return [
    {
      name: 'JSON',
      there: value => Buffer.from(JSON.stringify(value)),
      back: bytes => JSON.parse(Buffer.from(bytes).toString()) as unknown,
    },
    {
      name: 'msgpackr, plain',
      there: value => plain.pack(value),
      back: bytes => plain.unpack(bytes) as unknown,
    },
    {
      name: 'msgpackr, records',
      there: value => records.pack(value),
      back: bytes => records.unpack(bytes) as unknown,
    },
    {
      name: 'msgpackr, shared structures',
      there: value => shared.pack(value),
      back: bytes => shared.unpack(bytes) as unknown,
    },
    { name: 'ours', there: value => ours.encode(value), back: bytes => ours.decode(bytes) },
  ];
}

function compressors(length: number): Way[] {
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
  const ours = new DeflateCompressor();
  return [
    { name: 'gzip-1', there: bytes => gzipSync(bytes, { level: 1 }), back: bytes => gunzipSync(bytes) },
    {
      name: 'deflate-1',
      there: bytes => deflateRawSync(bytes, { level: 1 }),
      back: bytes => inflateRawSync(bytes),
    },
    {
      name: 'brotli-1',
      there: bytes => brotliCompressSync(bytes, quality),
      back: bytes => brotliDecompressSync(bytes),
    },
    {
      name: 'brotli-2',
      there: bytes => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 2 } }),
      back: bytes => brotliDecompressSync(bytes),
    },
    { name: 'ours', there: bytes => ours.compress(bytes), back: bytes => ours.decompress(bytes, length) },
  ];
}

async function both(what: string, ways: readonly Way[], input: unknown, bench: Bench): Promise<Answer[]> {
  const short = { ...bench, roundMs: Math.min(bench.roundMs, 100), rounds: Math.min(bench.rounds, 5) };
  const first = ways[0]!.there(input as never).length;
  const made = new Map(ways.map(way => [way.name, way.there(input as never)]));
  const race2 = (run: (way: Way) => unknown): Promise<Measured[]> =>
    race(
      ways.map((way): Contender => ({
        name: way.name,
        run: times => {
          for (let time = 0; time < times; time += 1) run(way);
          return Promise.resolve();
        },
      })),
      short,
    );
  const noted = (measured: readonly Measured[]): Measured[] =>
    measured.map(each => ({
      ...each,
      note: `${made.get(each.name)!.length} bytes, ${(made.get(each.name)!.length / first).toFixed(2)} × ${ways[0]!.name}`,
    }));
  return [
    { what: `${what}, there`, unit: 'µs', measured: noted(await race2(way => way.there(input as never))) },
    { what: `${what}, back`, unit: 'µs', measured: await race2(way => way.back(made.get(way.name)!)) },
  ];
}
