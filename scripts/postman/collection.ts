import { apiDocument } from '../generated/api-document.ts';
import { apiKeyAuth, collectionSchema } from './format.ts';
import { referenceFolder } from './reference.ts';
import { storyFolder } from './story.ts';

/** The collection: the story and the reference. The same sources give the same bytes. */
export async function postmanCollection() {
  return {
    info: {
      name: 'Bowline',
      description:
        'Made by npm run postman from the route table. Choose the environment "Bowline, local" and fill in api_key and demo_client_secret from .bowline/host.json.',
      schema: collectionSchema,
    },
    auth: apiKeyAuth('api_key'),
    item: [storyFolder(), referenceFolder(await apiDocument())],
  };
}

interface EnvironmentValue {
  readonly key: string;
  readonly value: string;
  readonly type: 'default' | 'secret';
  readonly enabled: true;
}

/** The environment without its secrets. The demo server's port is of each home: `npm start` says it. */
export function postmanEnvironment(): { readonly name: string; readonly values: readonly EnvironmentValue[] } {
  const plain = (key: string, value: string) => ({ key, value, type: 'default', enabled: true }) as const;
  const secret = (key: string) => ({ key, value: '', type: 'secret', enabled: true }) as const;
  return {
    name: 'Bowline, local',
    values: [
      plain('base_url', 'http://127.0.0.1:7071'),
      secret('api_key'),
      plain('organization_id', 'ORG123'),
      plain('demo_issuer', ''),
      plain('demo_client_id', 'bowline-demo'),
      secret('demo_client_secret'),
    ],
  };
}
