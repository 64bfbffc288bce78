// Puts the server's own pages where it serves them from: that of sign-in links, and that of the API's documentation with
// three files of Swagger UI. Those are copied, since the package of Swagger UI brings a script that reports
// installations, which no school has asked for.
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const server = join(import.meta.dirname, '../packages/server');
const swagger = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const placeOf = (page) => join(server, 'dist/transport/http', page);

for (const page of ['docs-page', 'sign-in-page']) {
  mkdirSync(placeOf(page), { recursive: true });
  for (const file of readdirSync(join(server, page))) copyFileSync(join(server, page, file), join(placeOf(page), file));
}
for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js', 'LICENSE']) {
  copyFileSync(join(swagger, file), join(placeOf('docs-page'), file === 'LICENSE' ? 'swagger-ui.LICENSE' : file));
}
