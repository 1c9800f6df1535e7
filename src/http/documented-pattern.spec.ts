import { documentedPattern } from './documented-pattern';

describe('a pattern in the document', () => {
  it.each(['Cc', 'Cf', 'Zl', 'Bidi_Control', 'Default_Ignorable_Code_Point'])(
    'takes and refuses without flags each character of 16 bits that one with \\p{%s} does',
    property => {
      const pattern = new RegExp(`^[^\\s\\p{${property}}]$`, 'u');
      const documented = new RegExp(documentedPattern(pattern));
      const differing = Array.from({ length: 0x1_0000 }, (_, code) => String.fromCharCode(code)).filter(
        character => !/\p{Cs}/u.test(character) && documented.test(character) !== pattern.test(character),
      );
      expect(differing).toEqual([]);
    },
  );

  it('takes characters of two halves, and leaves out what depends on the version of Unicode', () => {
    const documented = documentedPattern(/^[^\p{Cc}\p{Cn}\p{Co}\p{Cs}\p{Zl}]+$/u);
    expect(documented).toBe(String.raw`^[^\u0000-\u001f\u007f-\u009f\u2028]+$`);
    expect('a 🦊').toMatch(new RegExp(documented));
  });
});
