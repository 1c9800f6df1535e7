import { LineTooLongError, linesOf } from './lines';

const read = async (chunks: readonly (string | Buffer)[], maxBytes = 10): Promise<string[]> => {
  const lines: string[] = [];
  for await (const line of linesOf(
    chunks.map(chunk => Buffer.from(chunk as string)),
    maxBytes,
  ))
    lines.push(line);
  return lines;
};

describe('the lines of a stream', () => {
  it.each<[string, (string | Buffer)[], string[]]>([
    ['in one piece', ['a\nb\n'], ['a', 'b']],
    ['cut anywhere', ['a', 'b\nc', '\n', 'd'], ['ab', 'c', 'd']],
    ['with carriage returns and empty ones', ['a\r\n\r\n\n b\n'], ['a', 'b']],
    ['of letters that are cut in two', [Buffer.from([0xc3]), Buffer.from([0xa9, 0x0a])], ['é']],
    ['of nothing', [], []],
  ])('come whole: %s', async (_what, chunks, lines) => {
    expect(await read(chunks)).toEqual(lines);
  });

  it('may be as long as the limit and no longer, finished or not', async () => {
    expect(await read(['12345', '67890\n'])).toEqual(['1234567890']);
    await expect(read(['1234567890x\n'])).rejects.toThrow(LineTooLongError);
    await expect(read(['123456', '78901'])).rejects.toThrow(LineTooLongError);
  });

  it('that came before a line that is too long are there', async () => {
    const lines = linesOf([Buffer.from('a\n12345678901')], 10);
    expect((await lines.next()).value).toBe('a');
    await expect(lines.next()).rejects.toThrow(LineTooLongError);
  });
});
