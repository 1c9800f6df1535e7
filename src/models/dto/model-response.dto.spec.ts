import { toModelDetailsDto, toModelListDto } from './model-response.dto';

const model = {
  name: 'llama3.2:3b',
  modified_at: '2025-11-23T10:00:00.123456789+02:00',
  size: 2_019_393_189,
  digest: 'a80c',
  details: { format: 'gguf', family: 'llama', parameter_size: '3.2B', quantization_level: 'Q4_K_M' },
};

describe('the wire form of models', () => {
  it('has the five fields of the list, by name', () => {
    const { models, count, provider } = toModelListDto([model, { ...model, name: 'a:1b' }]);
    expect(models.map(({ name }) => name)).toEqual(['a:1b', 'llama3.2:3b']);
    expect(models[1]).toEqual({
      name: 'llama3.2:3b',
      size_bytes: 2_019_393_189,
      modified_at: '2025-11-23T08:00:00.123Z',
      family: 'llama',
      quantization: 'Q4_K_M',
    });
    expect([count, provider]).toEqual([2, 'ollama']);
  });

  it('says null for what the provider does not say, and invents nothing', () => {
    expect(
      toModelListDto([{ name: 'x', modified_at: 'yesterday', details: { family: '' } }]).models[0],
    ).toEqual({
      name: 'x',
      size_bytes: null,
      modified_at: null,
      family: null,
      quantization: null,
    });
  });

  it('adds what the provider shows about one model', () => {
    const shown = {
      model_info: { 'general.architecture': 'llama', 'llama.context_length': 131_072 },
      capabilities: ['completion'],
    };
    expect(toModelDetailsDto(model, shown)).toMatchObject({
      name: 'llama3.2:3b',
      parameter_size: '3.2B',
      format: 'gguf',
      context_length: 131_072,
      capabilities: ['completion'],
      provider: 'ollama',
    });
    expect(toModelDetailsDto({ name: 'x' }, {})).toMatchObject({
      context_length: null,
      capabilities: null,
      format: null,
    });
  });
});
