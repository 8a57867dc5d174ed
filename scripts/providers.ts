import { keepFiles } from './generated/keep-file.ts';
import { catalogueEntries, catalogueModule } from './providers/catalogue-module.ts';
import { providersPage } from './providers/page.ts';

const entries = await catalogueEntries();
const files = [
  { path: 'src/providers/catalogue.ts', content: catalogueModule(entries), madeBy: 'providers' },
  { path: 'docs/providers.md', content: providersPage(entries.map(({ provider }) => provider)), madeBy: 'providers' },
];
process.exit(await keepFiles(files, process.argv));
