import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { CachedRoutes } from '../cache';
import { AppConfig } from '../config/app-config';
import { describeCaching } from './caching';
import { describeErrors } from './errors';
import { addExamples } from './examples';
import { allowNull } from './nullable';

/**
 * The OpenAPI document of every route. Decorators say what is particular to a route; what many share is written here once:
 * the shape of errors, the headers of cached answers, and examples put together from those of the properties.
 */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const options = new DocumentBuilder()
    .setTitle('SutazAI backend')
    .setDescription(
      'An API for AI agents. Errors are problem+json (RFC 9457). Answers of cached routes carry Age, ETag, Cache-Control and Cache-Status; If-None-Match gets 304, Accept-Encoding br or gzip.',
    )
    .setVersion(app.get(AppConfig).version)
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-API-Key' }, 'admin-key')
    .addBearerAuth({ type: 'http', scheme: 'bearer' }, 'admin-bearer')
    .build();
  const document = SwaggerModule.createDocument(app, options);
  describeErrors(document);
  describeCaching(document, app.get(CachedRoutes, { strict: false }).list());
  allowNull(document);
  addExamples(document);
  return document;
}
