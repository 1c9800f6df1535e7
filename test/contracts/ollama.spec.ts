import { OllamaServer } from '../fakes/ollama-server';
import { ollamaContract } from './ollama.contract';

describe('the fake Ollama', () => {
  ollamaContract(async () => {
    const ollama = await OllamaServer.start();
    return { url: ollama.url, model: 'new:1b', stop: () => ollama.stop() };
  });
});

const realUrl = process.env['OLLAMA_CONTRACT_URL'];

// Not on machines without one: a model of 46 MB is pulled.
(realUrl === undefined ? describe.skip : describe)('a real Ollama', () => {
  ollamaContract(() =>
    Promise.resolve({
      url: realUrl!.replace(/\/$/, ''),
      model: process.env['OLLAMA_CONTRACT_MODEL'] ?? 'all-minilm:latest',
      stop: () => Promise.resolve(),
    }),
  );
});
