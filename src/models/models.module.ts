import { Module } from '@nestjs/common';
import { AppConfig } from '../config/app-config';
import { ModelPulls } from './model-pulls';
import { ModelsController } from './models.controller';
import { ModelsService } from './models.service';
import { OllamaClient } from './ollama.client';

@Module({
  controllers: [ModelsController],
  providers: [
    {
      provide: OllamaClient,
      inject: [AppConfig],
      useFactory: ({ ollama }: AppConfig) => (ollama.url === undefined ? null : new OllamaClient(ollama.url)),
    },
    ModelsService,
    ModelPulls,
  ],
  exports: [ModelsService],
})
export class ModelsModule {}
