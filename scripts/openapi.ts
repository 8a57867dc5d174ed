import { apiDocument } from './generated/api-document.ts';
import { keepFiles } from './generated/keep-file.ts';

const document = { path: 'docs/openapi.json', content: await apiDocument(), madeBy: 'openapi' };
process.exit(await keepFiles([document], process.argv));
