import { keepFiles } from './generated/keep-file.ts';
import { postmanCollection, postmanEnvironment } from './postman/collection.ts';

const folder = 'docs/postman';
const files = [
  { path: `${folder}/bowline.postman_collection.json`, content: await postmanCollection(), madeBy: 'postman' },
  { path: `${folder}/bowline.postman_environment.json`, content: postmanEnvironment(), madeBy: 'postman' },
];
process.exit(await keepFiles(files, process.argv));
