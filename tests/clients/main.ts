// The walk by each generated client.

import { heyApi } from './hey_api.js';
import { openapiFetch } from './openapi_fetch.js';
import { swaggerTypescriptApi } from './swagger_typescript_api.js';
import { walk } from './walk.js';

const clients = { 'openapi-typescript': openapiFetch, '@hey-api/openapi-ts': heyApi, 'swagger-typescript-api': swaggerTypescriptApi };

// Sets the exit code to 1 if the walk by any of them fails.
export async function walkAll(url: string): Promise<void> {
  for (const [name, makeClient] of Object.entries(clients)) {
    try {
      await walk(makeClient(url));
      console.log(`passed  the walk by ${name}`);
    } catch (error) {
      process.exitCode = 1;
      console.log(`FAILED  the walk by ${name}: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
}
