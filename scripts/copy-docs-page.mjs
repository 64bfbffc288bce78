// Puts the page of the API's documentation together: our own files and three of Swagger UI's. They are copied, since the
// package of Swagger UI brings a script that reports installations, which no school has asked for.
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const from = join(root, 'packages/server/docs-page');
const to = join(root, 'packages/server/dist/transport/http/docs-page');
const swagger = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

mkdirSync(to, { recursive: true });
for (const file of readdirSync(from)) copyFileSync(join(from, file), join(to, file));
for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js', 'LICENSE']) {
  copyFileSync(join(swagger, file), join(to, file === 'LICENSE' ? 'swagger-ui.LICENSE' : file));
}
